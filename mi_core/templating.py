"""Pages from the templates of this package."""

from importlib import resources


def filled(template: str, **values: object) -> str:
    """A template of `mi_core/templates/`, such as `index/index.html.j2`, with values; escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(resources.files("mi_core") / "templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
