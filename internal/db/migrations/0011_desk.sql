-- +goose Up
-- What somebody is in one section, and its parts, besides his role everywhere: {"SECTION_ID": "editor"}.
ALTER TABLE staff ADD COLUMN sections TEXT NOT NULL DEFAULT '{}';

-- Who began the story: staff.id, '' where it was imported or came by the API.
ALTER TABLE story ADD COLUMN created_by TEXT NOT NULL DEFAULT '';

-- Every act of the staff. Who is gone stays named.
CREATE TABLE audit (
    id          TEXT PRIMARY KEY,                -- UUIDv7: in order of time
    at          BIGINT NOT NULL,
    staff_id    TEXT NOT NULL DEFAULT '',
    staff_email TEXT NOT NULL DEFAULT '',        -- as it was then; 'token NAME' for the API, 'program' for the program itself
    act         TEXT NOT NULL,                   -- 'story.publish'
    object      TEXT NOT NULL DEFAULT '',        -- 'edition:ID', 'reader:ID'
    detail      TEXT NOT NULL DEFAULT '{}'       -- JSON: what changed, in few words
);
CREATE INDEX audit_object ON audit (object, id);
CREATE INDEX audit_staff ON audit (staff_id, id);

-- Who is to do what on a story, and until when.
CREATE TABLE assignment (
    id          TEXT PRIMARY KEY,
    story_id    TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,
    staff_id    TEXT NOT NULL,                   -- staff.id; an archive may bring one who is not here
    task        TEXT NOT NULL CHECK (task IN ('write', 'edit', 'translate', 'pictures')),
    lang        TEXT NOT NULL DEFAULT '',        -- of the edition, where it is about one
    note        TEXT NOT NULL DEFAULT '',
    due_at      BIGINT NOT NULL DEFAULT 0,       -- 0: no deadline
    done_at     BIGINT NOT NULL DEFAULT 0,
    created_by  TEXT NOT NULL DEFAULT '',        -- staff.id
    created_at  BIGINT NOT NULL
);
CREATE INDEX assignment_story ON assignment (story_id);
CREATE INDEX assignment_staff ON assignment (staff_id, due_at) WHERE done_at = 0;
