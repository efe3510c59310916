-- +goose Up
-- The wall's own words where they are not the catalogue's.
CREATE TABLE wall_text (
    lang        TEXT PRIMARY KEY,
    texts       TEXT NOT NULL                    -- JSON by key: {"register.title": "…"}
);

-- The wall as it was put live, each time.
CREATE TABLE wall_version (
    seq         BIGINT PRIMARY KEY,
    design      TEXT NOT NULL,                   -- JSON of rules, benefits and words
    who         TEXT NOT NULL,                   -- e-mail of the staff, '' for the command line
    at          BIGINT NOT NULL
);

-- The wall that is being worked on: one row or none.
CREATE TABLE wall_draft (
    id          TEXT PRIMARY KEY,                -- 'draft'
    version     BIGINT NOT NULL,                 -- counts what was saved: compared and set
    base        BIGINT NOT NULL,                 -- wall_version.seq that it began from; 0 for none
    design      TEXT NOT NULL,
    who         TEXT NOT NULL,
    updated_at  BIGINT NOT NULL
);

-- A section, or everything, open in an emergency. It ends by itself.
CREATE TABLE wall_lift (
    id          TEXT PRIMARY KEY,
    section     TEXT NOT NULL,                   -- slug, '' for every section
    reason      TEXT NOT NULL,
    who         TEXT NOT NULL,
    starts_at   BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL
);
CREATE INDEX wall_lift_end ON wall_lift (ends_at);

-- Two walls side by side: the one that is live, and this design.
CREATE TABLE wall_trial (
    id          TEXT PRIMARY KEY,
    number      BIGINT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    share       INTEGER NOT NULL,                -- per cent of the visitors who get the design
    sample      INTEGER NOT NULL,                -- visitors in each arm before anything is said
    design      TEXT NOT NULL,
    who         TEXT NOT NULL,
    starts_at   BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL DEFAULT 0        -- by hand, before its time
);

CREATE TABLE wall_trial_count (
    trial_id    TEXT NOT NULL REFERENCES wall_trial (id) ON DELETE CASCADE,
    arm         TEXT NOT NULL,                   -- 'a' is the wall that is live, 'b' the design
    what        TEXT NOT NULL,                   -- 'joined', 'decisions', 'walls', 'registrations'
    n           BIGINT NOT NULL,
    PRIMARY KEY (trial_id, arm, what)
);

-- How many visits of one kind the wall decided on in one day (UTC). Nothing in it leads to a reader.
CREATE TABLE wall_record (
    day         INTEGER NOT NULL,                -- since 1970-01-01
    level       INTEGER NOT NULL,                -- 0 as counted, 1 without topics and referrer, 2 only what was decided
    sections    TEXT NOT NULL,                   -- slugs, the innermost first, with spaces between
    topics      TEXT NOT NULL,                   -- slugs in order, with spaces between
    kind        TEXT NOT NULL,
    lang        TEXT NOT NULL,
    access      TEXT NOT NULL,                   -- the story's own; 'password' behind one
    age         INTEGER NOT NULL,                -- days, the least of its bucket
    words       INTEGER NOT NULL,                -- the least of its bucket
    state       TEXT NOT NULL,
    tiers       TEXT NOT NULL,
    reads       INTEGER NOT NULL,                -- counted before this one
    counted     TEXT NOT NULL,                   -- 'new', 'again', 'least': there may have been more
    referrer    TEXT NOT NULL,                   -- '', a host that a rule names, or 'other'
    verdict     TEXT NOT NULL,
    whole       BOOLEAN NOT NULL,                -- the whole text was sent
    visits      BIGINT NOT NULL,
    PRIMARY KEY (day, level, sections, topics, kind, lang, access, age, words, state, tiers, reads, counted, referrer, verdict, whole)
);
