-- +goose Up
-- The working copy of an edition: what is being written, with every step that is acknowledged.
CREATE TABLE draft (
    edition_id  TEXT PRIMARY KEY REFERENCES edition (id) ON DELETE CASCADE,
    version     BIGINT NOT NULL,                 -- how many steps there have been
    body        TEXT NOT NULL,                   -- doc JSON at that version, as it stands: not in normal form
    base        BIGINT NOT NULL,                 -- revision.seq of the edition's words when they were last brought together
    revision    BIGINT NOT NULL,                 -- the newest revision.seq that the draft knows
    kept        BIGINT NOT NULL,                 -- the version that was kept last
    unkept      BOOLEAN NOT NULL DEFAULT FALSE,  -- words have changed since
    kept_at     BIGINT NOT NULL,
    remarks     BIGINT NOT NULL DEFAULT 0,       -- counts the changes of its comments
    outside     BIGINT NOT NULL DEFAULT 0,       -- the last revision.seq that came past the desk
    conflicts   INTEGER NOT NULL DEFAULT 0,      -- places where that and the draft had changed the same
    updated_at  BIGINT NOT NULL
);
CREATE INDEX draft_unkept ON draft (updated_at) WHERE unkept;

-- Step VERSION made the draft's version VERSION. They are kept for a week.
CREATE TABLE draft_step (
    edition_id  TEXT NOT NULL REFERENCES draft (edition_id) ON DELETE CASCADE,
    version     BIGINT NOT NULL,
    client      TEXT NOT NULL,                   -- the tab that it came from
    push        TEXT NOT NULL,                   -- the client's name for the push that brought it
    staff_id    TEXT NOT NULL,                   -- staff.id, '' for the program itself
    step        TEXT NOT NULL,                   -- JSON of prosemirror-transform
    at          BIGINT NOT NULL,
    PRIMARY KEY (edition_id, version)
);
CREATE INDEX draft_step_push ON draft_step (edition_id, client, push);
CREATE INDEX draft_step_at ON draft_step (at);

-- Kicker, headline and summary, each with the version of its own that a save must know.
CREATE TABLE draft_field (
    edition_id  TEXT NOT NULL REFERENCES draft (edition_id) ON DELETE CASCADE,
    name        TEXT NOT NULL CHECK (name IN ('kicker', 'headline', 'summary')),
    value       TEXT NOT NULL,
    version     BIGINT NOT NULL,
    staff_id    TEXT NOT NULL DEFAULT '',        -- who wrote it last, '' for the program itself
    at          BIGINT NOT NULL,
    PRIMARY KEY (edition_id, name)
);

-- Who wrote a revision.
CREATE TABLE revision_writer (
    edition_id  TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    staff_id    TEXT NOT NULL,
    PRIMARY KEY (edition_id, seq, staff_id),
    FOREIGN KEY (edition_id, seq) REFERENCES revision (edition_id, seq) ON DELETE CASCADE
);

-- A conversation of the newsroom on a passage of an edition, or on a whole story. Never published.
CREATE TABLE remark_thread (
    id          TEXT PRIMARY KEY,
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    edition_id  TEXT REFERENCES edition (id) ON DELETE CASCADE, -- NULL: a note on the story
    from_pos    BIGINT NOT NULL DEFAULT 0,       -- the passage, at the draft's version
    to_pos      BIGINT NOT NULL DEFAULT 0,       -- as from_pos once the passage is deleted
    anchor      TEXT NOT NULL DEFAULT '',        -- its words when the conversation began
    resolved_by TEXT NOT NULL DEFAULT '',        -- staff.id
    resolved_at BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL
);
CREATE INDEX remark_thread_story ON remark_thread (story_id);
CREATE INDEX remark_thread_edition ON remark_thread (edition_id);

CREATE TABLE remark (
    id          TEXT PRIMARY KEY,                -- UUIDv7: in order of time
    thread_id   TEXT NOT NULL REFERENCES remark_thread (id) ON DELETE CASCADE,
    staff_id    TEXT NOT NULL,                   -- staff.id; an archive may bring one who is not here
    text        TEXT NOT NULL,
    mentions    TEXT NOT NULL DEFAULT '[]',      -- JSON: staff.id of who is named in it
    at          BIGINT NOT NULL
);
CREATE INDEX remark_of_thread ON remark (thread_id, id);

-- Which revision of the original a translation says.
CREATE TABLE translation (
    edition_id  TEXT PRIMARY KEY REFERENCES edition (id) ON DELETE CASCADE,
    revision    BIGINT NOT NULL                  -- revision.seq of the story's original
);
