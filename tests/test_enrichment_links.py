"""The wrong-person guard: by hand, against garbage, and in a world whose truth is known."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mi_core.enrichment.decoys import Rate, decoy_names, false_match_rate
from mi_core.enrichment.links import AGREEMENTS, agreeing_links
from mi_core.errors import BadValue, UnknownName

JANE = {"name": "Jane Doe", "company_domain": "acme.co.uk", "local_part": "jane.doe"}
OWL = {"name": "Jane Doe", "company_domain": None, "local_part": "nightowl77"}


def kept(network, urls, *, least="name", **lead):
    """URL and agreement of the one link that is kept, or None."""
    links = agreeing_links({network: urls}, least=least, **{**JANE, **lead})
    return next(((link.url, link.agreement) for link in links.values()), None)


def agreement(url, **lead):
    """How the LinkedIn profile at `url` agrees, or None."""
    link = kept("linkedin", [f"https://www.linkedin.com/in/{url}"], **lead)
    return link and link[1]


@pytest.mark.parametrize(
    ("network", "url", "written"),
    [
        ("facebook", "https://de-de.facebook.com/nightowl77/", "https://www.facebook.com/nightowl77"),
        ("facebook", "https://fb.com/nightowl77", "https://www.facebook.com/nightowl77"),
        ("tiktok", "https://www.tiktok.com/@NightOwl77?lang=en", "https://www.tiktok.com/@nightowl77"),
        ("instagram", "http://instagram.com/night.owl_77/#x", "https://www.instagram.com/night.owl_77"),
        ("snapchat", "https://snapchat.com/add/nightowl77", "https://www.snapchat.com/add/nightowl77"),
        ("twitter", "https://mobile.twitter.com/nightowl77", "https://x.com/nightowl77"),
        ("twitter", "https://x.com/nightowl77", "https://x.com/nightowl77"),
        ("youtube", "https://m.youtube.com/@nightowl77", "https://www.youtube.com/@nightowl77"),
        ("youtube", "https://youtube.com/c/nightowl77", "https://www.youtube.com/c/nightowl77"),
        ("linkedin", "https://uk.linkedin.com/in/nightowl77/de", "https://www.linkedin.com/in/nightowl77"),
        ("linkedin", "HTTPS://LinkedIn.com/in/nightowl77", "https://www.linkedin.com/in/nightowl77"),
        ("github", "https://github.com/nightowl77", "https://github.com/nightowl77"),
        ("pinterest", "https://www.pinterest.co.uk/nightowl77/", "https://www.pinterest.com/nightowl77"),
        ("pinterest", "https://de.pinterest.com/nightowl77/", "https://www.pinterest.com/nightowl77"),
    ],
)  # fmt: skip
def test_a_profile_is_written_anew(network, url, written):
    assert kept(network, [url], **OWL) == (written, "handle")


@pytest.mark.parametrize(
    ("network", "url"),
    [
        ("linkedin", "https://www.linkedin.com/company/nightowl77"),
        ("linkedin", "https://www.linkedin.com/pub/dir/nightowl77"),
        ("linkedin", "https://www.linkedin.com/posts/nightowl77"),
        ("linkedin", "https://www.linkedin.com/nightowl77"),
        ("linkedin", "https://www.linkedin.com/in/nightowl77/details/experience"),
        ("linkedin", "https://x.com/nightowl77"),
        ("linkedin", "https://linkedin.com.evil.test/in/nightowl77"),
        ("linkedin", "https://evil-linkedin.com/in/nightowl77"),
        ("linkedin", "https://www.linkedin.com@evil.test/in/nightowl77"),
        ("linkedin", "https://user:secret@www.linkedin.com/in/nightowl77"),
        ("linkedin", "https://www.linkedin.com:8443/in/nightowl77"),
        ("linkedin", "https://www.linkedin.com\\@evil.test/in/nightowl77"),
        ("linkedin", "https://www.linkedin.com./in/nightowl77"),
        ("linkedin", "https://www.linkedın.com/in/nightowl77"),
        ("linkedin", "https://www.xn--linkedn-rfb.com/in/nightowl77"),
        ("linkedin", "https://www.ｌinkedin.com/in/nightowl77"),
        ("linkedin", "https://www.linkedin.com/in/../in/nightowl77"),
        ("linkedin", "https://www.linked\tin.com/in/nightowl77"),
        ("linkedin", "https://www.linkedin.com/in/nightowl77\n"),
        ("linkedin", "https://www.linkedin.com/in/night%00owl77"),
        ("linkedin", "https://www.linkedin.com/in/night%E2%80%AEowl77"),
        ("linkedin", "https://www.linkedin.com/in/nightowl77%22onclick"),
        ("linkedin", "https://www.linkedin.com/in/nightowl77;x"),
        ("linkedin", "//www.linkedin.com/in/nightowl77"),
        ("linkedin", "www.linkedin.com/in/nightowl77"),
        ("linkedin", "https://[www.linkedin.com/in/nightowl77"),
        ("linkedin", "https://www.linkedin.com/in/nightowl77?" + "x" * 300),
        ("twitter", "https://x.com/nightowl77/status/1"),
        ("twitter", "https://x.com/search?q=nightowl77"),
        ("twitter", "javascript:nightowl77"),
        ("twitter", "javascript://x.com/nightowl77"),
        ("twitter", "data:text/html,nightowl77"),
        ("twitter", "ftp://x.com/nightowl77"),
        ("instagram", "https://www.instagram.com/p/nightowl77/"),
        ("instagram", "https://www.instagram.com/nightowl77/p/abc/"),
        ("tiktok", "https://www.tiktok.com/nightowl77"),
        ("tiktok", "https://www.tiktok.com/@nightowl77/video/1"),
        ("youtube", "https://www.youtube.com/watch?v=nightowl77"),
        ("youtube", "https://www.youtube.com/channel/nightowl77"),
        ("youtube", "https://www.youtube.com/nightowl77"),
        ("facebook", "https://www.facebook.com/profile.php?id=nightowl77"),
        ("facebook", "https://www.facebook.com/groups/nightowl77"),
        ("github", "https://gist.github.com/nightowl77"),
        ("github", "https://github.com/nightowl77/project"),
        ("myspace", "https://myspace.com/nightowl77"),
    ],
)
def test_what_is_no_profile_of_the_network_is_dropped(network, url):
    assert kept(network, [url], **OWL) is None


@pytest.mark.parametrize(
    ("handle", "local_part"),
    [
        ("nightowl77", "nightowl77"),
        ("night-owl-77", "night.owl77+shop"),
        ("janeskywalker", "jane.skywalker"),  # no namesake has it
    ],
)  # fmt: skip
def test_a_handle_that_the_address_repeats_is_kept(handle, local_part):
    assert agreement(handle, local_part=local_part, least="handle") == "handle"


@pytest.mark.parametrize(
    ("handle", "local_part"),
    [
        ("jane-doe", "jane.doe"),  # every Jane Doe may have it
        ("doejane", "doe.jane"),
        ("jdoe1987", "jdoe1987"),
        ("janedoe1987", "janedoe1987"),
        ("jennifersmith", "jennifersmith"),  # a common name, if not the lead's
        ("janedoephotography", "janedoephotography"),
        ("acme-sales", "acme.sales"),
        ("marketing", "marketing"),
        ("acmejane", "acmejane"),
        ("owl77", "owl77"),  # short
        ("nightowl7", "nightowl77"),
        ("nightowl777", "nightowl77"),
    ],
)
def test_a_handle_that_others_may_have_is_no_agreement(handle, local_part):
    assert agreement(handle, local_part=local_part, least="handle") is None


def test_a_name_within_a_name_leaves_nothing_made_up():
    assert agreement("jackjackson", name="Jack Jackson", local_part="jackjackson") == "name"


def test_whether_a_handle_is_made_up_only_a_whole_name_tells():
    assert agreement("stefanieholzer", name="S. Holzer", local_part="stefanie.holzer") is None


@pytest.mark.parametrize(
    ("handle", "lead"),
    [
        ("jane-doe-acme", {}),
        ("janedoe.acme", {}),
        ("acme_jane_doe", {}),
        ("jane-doe-at-acme", {}),
        ("doe-jane-acme-1a2b3c4d", {}),
        ("jane-doe-acmecorp", {"company_domain": "acme-corp.com"}),
        ("jane-doe-acme-corp", {"company_domain": "acme-corp.com"}),
        ("jane-doe-hp", {"company_domain": "hp.com"}),
        ("jane-doe-muller", {"company_domain": "xn--mller-kva.de"}),
        ("jane-doe-mueller", {"company_domain": "xn--mller-kva.de"}),
    ],
)
def test_name_and_company(handle, lead):
    assert agreement(handle, least="name_and_company", **lead) == "name_and_company"


@pytest.mark.parametrize(
    ("handle", "lead"),
    [
        ("jane-doe", {}),
        ("jane-acme", {}),
        ("acme", {}),
        ("jane-doe-smith", {"company_domain": "smith.com"}),  # a name, too
        ("jane-doe-design", {"company_domain": "design.com"}),
        ("janedoe", {"company_domain": "janedoe.com"}),
        ("janedoe", {"company_domain": "doe.com"}),
        ("janedoehp", {"company_domain": "hp.com"}),
        ("jane-doe-7", {"company_domain": "7.com"}),
        ("jane-doe-acme", {"company_domain": None}),
        ("jane-doe-acme", {"company_domain": "acmeria.com"}),
        ("jane-doe-acmeria", {}),
        ("mary-jane-doe-acme", {}),
        ("jane-doe-acme", {"company_domain": "xn--\x00.com"}),
    ],
)
def test_a_name_without_the_company_is_not_enough_by_default(handle, lead):
    found = {"linkedin": [f"https://www.linkedin.com/in/{handle}"]}

    assert agreeing_links(found, **{**JANE, **lead}) == {}


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("jane-doe", "Jane Doe"),
        ("doejane", "Jane Doe"),
        ("jane-doe-1a2b3c4d", "Dr. Jane Doe"),
        ("jane.doe87", "Jane Doe, PhD"),
        ("jane_doe", "Doe, Jane"),
        ("jane-doe", "Jane Q. Doe"),
        ("jane-q-doe", "Jane Q. Doe"),
        ("jose-garcia", "José García"),
        ("jos%C3%A9-garc%C3%ADa", "Jose Garcia"),
        ("juergenmueller", "Jürgen Müller"),
        ("jurgen-muller", "Jürgen Müller"),
        ("soren-lokke", "Søren Løkke"),
        ("anne-marie-oneill-smith", "Anne-Marie O'Neill-Smith"),
        ("oneillsmithannemarie", "Anne-Marie O’Neill-Smith"),
        ("ludwig-van-beethoven", "Ludwig van Beethoven"),
        ("иван-петров", "Иван Петров"),
    ],
)
def test_a_name_alone_is_a_guess_that_may_be_asked_for(handle, name):
    assert agreement(handle, name=name) == "name"


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("jane-smith", "Jane Doe"),
        ("jane-doe-md", "Jane Doe"),
        ("mary-jane-doe", "Jane Doe"),
        ("jane-doerr", "Jane Doe"),
        ("janedoesmith1", "Jane Doe"),
        ("jane", "Jane"),
        ("bo-li", "Bo Li"),
        ("jane", ""),
        ("jаne-doe", "Jane Doe"),  # the first a is Cyrillic
        ("ｊane-doe", "Jane Doe"),
        ("jürgen-müller", "Juergen Mueller"),  # missed: `ue` needn't be an umlaut
        ("anne-smith", "Anne-Marie O'Neill-Smith"),
        ("jane-doe", "Jane Doe" + " x" * 50),
        ("a-b-c-d-e-f-g-h", "aa bb cc dd ee ff gg hh"),
    ],
)
def test_another_name_is_none(handle, name):
    assert agreement(handle, name=name) is None


def urls(*handles):
    return [f"https://www.linkedin.com/in/{handle}" for handle in handles]


def test_the_best_agreement_is_kept_whatever_its_place():
    found = urls("jane-doe-1", "nightowl77", "jane-doe-acme")

    assert kept("linkedin", found, local_part="nightowl77") == (found[1], "handle")
    assert kept("linkedin", found) == (found[2], "name_and_company")
    assert kept("linkedin", found, company_domain=None) == (found[0], "name")


def test_two_that_agree_alike_leave_it_open():
    assert kept("linkedin", urls("jane-doe", "jane-doe-87")) is None
    assert kept("linkedin", urls("jane-doe-acme", "acme-jane-doe", "jane-doe")) is None


def test_one_profile_found_twice_is_one():
    found = [*urls("jane-doe"), "http://uk.linkedin.com/in/Jane-Doe/?trk=x"]

    assert kept("linkedin", found) == (found[0], "name")


def test_an_agreement_that_is_none_is_refused():
    with pytest.raises(UnknownName, match="name_and_company"):
        agreeing_links({}, **JANE, least="nam")


LEAF = st.none() | st.integers() | st.text(max_size=20) | st.binary(max_size=9)
GARBAGE = LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(st.text(max_size=3), LEAF, max_size=2)
NETWORKS = ["facebook", "tiktok", "instagram", "snapchat", "twitter", "youtube"]
NETWORKS += ["linkedin", "github", "pinterest"]
HOSTS = ["www.linkedin.com/in/", "x.com/", "github.com/", "www.tiktok.com/@", "evil.test/in/"]
NEARLY = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "javascript://", "", "https://a@"]),
    st.sampled_from(HOSTS),
    st.sampled_from(["jane-doe", "nightowl77", "jane-doe-acme", "%2e%2e", ""]),
    st.text(st.sampled_from("/?#%2f@:\\.-_<>\"'\n\x00é‮a1"), max_size=6),
)


CANDIDATES = st.dictionaries(
    st.sampled_from(NETWORKS) | st.text(max_size=5),
    GARBAGE | st.lists(NEARLY | GARBAGE, max_size=6),
    max_size=5,
)


@given(CANDIDATES)
def test_garbage_is_dropped_and_what_is_kept_is_a_plain_link(candidates):
    for network, link in agreeing_links(candidates, **{**JANE, **OWL}, least="name").items():
        assert network in NETWORKS
        assert link.url.startswith("https://")
        assert link.url.isascii()
        assert not set(link.url) & set("\"'<>?#\\ \n\x00")
        assert link.url.count("//") == 1
        assert kept(network, [link.url], **OWL) == (link.url, link.agreement)


@given(st.text(max_size=100), st.none() | st.text(max_size=80), st.none() | st.text(max_size=80))
def test_whatever_is_known_of_a_lead_nothing_breaks(name, domain, local_part):
    lead = {"name": name, "company_domain": domain, "local_part": local_part}
    found = {"linkedin": urls("jane-doe", f"{name}-{domain}", local_part), "x": [name]}

    strict, loose = (agreeing_links(found, **lead, least=least) for least in AGREEMENTS[::2])

    assert set(strict.items()) <= set(loose.items())


@pytest.mark.parametrize("candidates", [None, 3, "linkedin", ["linkedin"], {"linkedin": None}])
def test_what_are_no_candidates_agree_with_nothing(candidates):
    assert agreeing_links(candidates, **JANE) == {}


@pytest.mark.timeout(5)
def test_huge_lists_and_texts_take_no_time():
    found = {"linkedin": urls("-" * 10**7, "jane" + "-" * 90, "jane-" * 20) * 10**5}

    assert agreeing_links(found, **{**JANE, "name": "J. J. Jane J. J. Doe"}, least="name") == {}


def test_nothing_of_the_person_is_shown():
    (link,) = agreeing_links({"linkedin": urls("jane-doe-acme")}, **JANE).values()

    assert repr(link) == "Link(agreement='name_and_company')"


# Decoys


def test_decoys_are_different_seeded_and_of_two_words():
    names = decoy_names(500, seed=1)

    assert len(set(names)) == 500
    assert all(len(name.split()) == 2 for name in names)
    assert names == decoy_names(500, seed=1) != decoy_names(500, seed=2)


@pytest.mark.parametrize("n", [-1, 1_000_000])
def test_more_decoys_than_there_are_names_are_refused(n):
    with pytest.raises(BadValue):
        decoy_names(n, seed=1)


@pytest.mark.parametrize(
    ("trials", "matched"), [(1, 0), (1, 1), (40, 3), (263, 81), (500, 0), (500, 500)]
)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_is_scipys(trials, matched, level):
    rate = false_match_rate(trials, matched, level)
    peer = binomtest(matched, trials).proportion_ci(level, method="wilson")

    assert rate.share == matched / trials
    assert (rate.low, rate.high) == pytest.approx((peer.low, peer.high), abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "matched", "low", "high"),
    [
        (263, 81, 0.2553, 0.3662),
        (148, 15, 0.0624, 0.1605),
        (20, 0, 0.0, 0.1611),
        (29, 1, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_newcombes(trials, matched, low, high):
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I: the score method."""
    rate = false_match_rate(trials, matched)

    assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)


def test_without_trials_nothing_is_known():
    assert false_match_rate(0, 0) == Rate(None, 0.0, 1.0)


@pytest.mark.parametrize("values", [(1, 2), (-1, 0), (3, -1), (3, 1, 0.0), (3, 1, 1.0)])
def test_impossible_counts_and_levels_are_refused(values):
    with pytest.raises(BadValue):
        false_match_rate(*values)


# What the guard is worth, in a world whose truth is known


HOMES = {
    "linkedin": "https://www.linkedin.com/in/",
    "twitter": "https://x.com/",
    "instagram": "https://www.instagram.com/",
    "github": "https://github.com/",
}


class World:
    """Leads and their namesakes, with handles as people make them, and a search by name.

    The shares are assumptions, and so are the figures that come of them; what the guard does to
    real searches only decoys tell. Firms are few, so that more namesakes share one than in fact do.
    """

    def __init__(self, people, seed):
        self.dice = random.Random(seed)
        names = decoy_names(people // 2, seed)
        weights = [1 / (rank + 10) for rank in range(len(names))]
        self.people = [self.person(self.dice.choices(names, weights)[0]) for _ in range(people)]
        self.by_name = {}
        for person in self.people:
            self.by_name.setdefault(person["name"], []).append(person)

    def person(self, name):
        firm = f"firm{chr(97 + self.dice.randrange(26))}{chr(97 + self.dice.randrange(26))}"
        made_up = f"{self.dice.choice(ODD)}{self.dice.choice(ODD)}{self.dice.randrange(100)}"
        first, last = name.lower().split()
        own = [
            f"{first}.{last}",
            f"{first[0]}{last}",
            f"{first}{last}{self.dice.randrange(99)}",
            made_up,
        ]
        at_work = self.dice.random() < 0.7
        person = {
            "name": name,
            "company_domain": f"{firm}.com" if at_work else None,
            "local_part": self.dice.choices(own, (60, 40, 0, 0) if at_work else (25, 10, 30, 35))[
                0
            ],
        }
        person["profiles"] = {
            network: HOMES[network] + self.handle(first, last, firm, person["local_part"])
            for network in HOMES
            if self.dice.random() < 0.6
        }
        return person

    def handle(self, first, last, firm, local_part):
        """Often the name, with digits where it was taken; now and then what the address says."""
        ways = [
            f"{first}-{last}",
            f"{last}{first}",
            f"{first}-{last}-{self.dice.randrange(16**8, 16**9):x}",
            f"{first}{last}{self.dice.randrange(1960, 2010)}",
            f"{first[0]}{last}{self.dice.randrange(100)}",
            f"{self.dice.choice(ODD)}{self.dice.choice(ODD)}{self.dice.randrange(100)}",
            f"{first}-{last}-{firm}",
            local_part,
        ]
        return self.dice.choices(ways, (15, 5, 25, 10, 15, 10, 5, 15))[0]

    def search(self, name):
        """Up to five profiles a network of people of that name, in an order that says nothing."""
        found = {}
        for network, home in HOMES.items():
            hits = [
                person["profiles"][network]
                for person in self.by_name.get(name, [])
                if network in person["profiles"]
            ]
            found[network] = [
                *self.dice.sample(hits, min(5, len(hits))),
                f"{home}company/{name}",
            ]
        return found

    def decoy(self, name):
        """Somebody of that name at a firm where nobody of that name is."""
        taken = {person["company_domain"] for person in self.by_name.get(name, [])}
        decoy = self.person(name)
        return decoy if decoy["company_domain"] not in taken - {None} else self.decoy(name)


ODD = ["night", "owl", "vinyl", "quartz", "tango", "pixel", "maple", "comet", "zebra", "kayak"]


def first_found(found, **lead):
    """What every other client of the search does."""
    return {network: urls[0] for network, urls in found.items()}


def guarded(least):
    def keep(found, *, name, company_domain, local_part):
        lead = {"name": name, "company_domain": company_domain, "local_part": local_part}
        return {
            network: link.url
            for network, link in agreeing_links(found, **lead, least=least).items()
        }

    return keep


WAYS = {"first found": first_found, **{least: guarded(least) for least in AGREEMENTS}}


def answers(world, person):
    """What each way makes of the same search."""
    found = world.search(person["name"])
    lead = {key: value for key, value in person.items() if key != "profiles"}
    return {way: keep(found, **lead) for way, keep in WAYS.items()}


def worth(world, leads=1000, decoys=500):
    """Of each way the precision, the recall, and the rate of decoys that were given a link."""
    counts = Counter()
    for person in world.people[:leads]:
        counts["there"] += len(person["profiles"])
        for way, links in answers(world, person).items():
            counts[way, "kept"] += len(links)
            counts[way, "right"] += len(links.items() & person["profiles"].items())
    for name in [world.dice.choice(world.people)["name"] for _ in range(decoys)]:
        for way, links in answers(world, world.decoy(name)).items():
            counts[way, "matched"] += bool(links)
    return {
        way: (
            counts[way, "right"] / counts[way, "kept"],
            counts[way, "right"] / counts["there"],
            false_match_rate(decoys, counts[way, "matched"]),
        )
        for way in WAYS
    }


def test_what_the_guard_is_worth():
    figures = worth(World(4000, seed=7))
    print(f"{'':18}{'precision':>10}{'recall':>8}   decoys with a link")
    for way, (precision, recall, rate) in figures.items():
        spread = f"{rate.share:.1%} ({rate.low:.1%} to {rate.high:.1%})"
        print(f"{way:18}{precision:10.1%}{recall:8.1%}   {spread}")

    taken, default, guess = (figures[way] for way in ("first found", "name_and_company", "name"))
    assert default[2].high < 0.02 < 0.5 < taken[2].low
    assert default[0] > 0.95 > 0.5 > taken[0]
    assert default[1] > 0.02
    assert default[2].high < guess[2].low
