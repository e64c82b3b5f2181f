-- Who was forgotten: what it came to, and the hashes by which they stay so. Nothing else of them.

create table erasure (
    erasure_id varchar(36) primary key,
    begun_at timestamp not null,
    finished_at timestamp,           -- null: half done; `mi maintain` or `mi forget` finishes it
    receipt text not null            -- JSON: what went, by place; not whose it was
);

create table erased_id (
    id_hash varchar(36) primary key, -- keyed, as everywhere: of an id, of a person at PostHog, of an address
    erasure_id varchar(36) not null references erasure (erasure_id)
);
create index erased_id_of on erased_id (erasure_id);
