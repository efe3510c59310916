package archive

import (
	"fmt"
	"slices"
	"strings"

	"masthead/internal/fault"
)

// The newsroom's own archive is a folder or a zip of it: one file of JSON lines
// for each kind of thing, the kept originals of pictures and files under
// blobs/, and a manifest that tells the SHA-256 of each. docs/archive-format.md
// describes it for those who read it with other programs.
const (
	newsroomFormat  = "masthead newsroom"
	newsroomVersion = 1
	manifestName    = "masthead.json"
	blobFolder      = "blobs/"
)

// Limits of an archive: far above any newsroom, and a bound to what a hostile
// one may cost.
const (
	maxLine     = 16 << 20  // bytes of one line; a body has at most 4 MB
	maxManifest = 256 << 20 // bytes
	maxEntries  = 2_000_000 // files
	maxRatio    = 250       // of a zip's entry that is larger than freeRatio
	freeRatio   = 256 << 20
)

// Manifest is masthead.json. It tells nothing of when or where the export was
// made, so that the same newsroom gives the same bytes.
type Manifest struct {
	Format  string         `json:"format"`
	Version int            `json:"version"`
	Counts  map[string]int `json:"counts"` // lines of each file, and blobs
	Files   []FileSum      `json:"files"`  // all but the manifest, in the archive's order
}

// FileSum is one file of an archive.
type FileSum struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hex
}

// form is how a column's value is written.
type form uint8

const (
	asText     form = iota // a string; "" is left out
	asOptional             // a string; NULL and "" are left out, and come in as NULL
	asInteger              // a number of 32 bits; 0 is left out
	asLong                 // a number of 64 bits; 0 is left out
	asFlag                 // true; false is left out
	asTime                 // RFC 3339, UTC, microseconds; no time is left out
	asObject               // JSON; {} is left out
	asList                 // JSON; [] is left out
	asDocument             // the JSON of a body, always there
	asWorking              // the JSON of a body that is being written, always there
)

type column struct {
	field string // in the archive
	name  string // in the database
	form  form
}

// table is one file of the archive and the table that it holds, or both of one
// with the rows that hang on it.
type table struct {
	file    string // without .jsonl
	name    string
	keys    int // so many of the first columns are the primary key, by which lines are ordered
	columns []column
	inside  []inside
	derived []string // columns that are worked out on the way in
	parent  string   // the column that names another row of the same table
	whole   bool     // one ordered table: what comes in replaces what is there
	keep    bool     // a row that is there stays as it is
}

// inside are the rows of another table that stand inside a line. A list of one
// column is a list of plain strings.
type inside struct {
	field    string
	name     string
	parent   string // the column with the line's key
	columns  []column
	order    []column // what their order is; a text is ordered by its bytes
	position bool     // the table has a position, counted from 0
}

// tables are everything that is exported, in an order in which a row names
// only what came before. What is left out on purpose is in omitted.
var tables = []table{
	{file: "sections", name: "section", keys: 1, parent: "parent_id", columns: []column{
		{"id", "id", asText}, {"parent", "parent_id", asOptional}, {"slug", "slug", asText}, {"position", "position", asInteger},
		{"names", "names", asObject}, {"descriptions", "descriptions", asObject}, {"source", "source", asOptional}, {"created", "created_at", asTime}}},
	{file: "topics", name: "topic", keys: 1, columns: []column{
		{"id", "id", asText}, {"kind", "kind", asText}, {"slug", "slug", asText}, {"names", "names", asObject},
		{"descriptions", "descriptions", asObject}, {"aliases", "aliases", asObject}, {"internal", "internal", asFlag},
		{"source", "source", asOptional}, {"created", "created_at", asTime}}},
	{file: "authors", name: "author", keys: 1, columns: []column{
		{"id", "id", asText}, {"slug", "slug", asText}, {"names", "names", asObject}, {"biographies", "biographies", asObject},
		{"handle", "handle", asText}, {"website", "website", asText}, {"email", "email", asText}, {"portrait", "portrait_id", asOptional},
		{"staff", "staff_id", asText}, {"source", "source", asOptional}, {"created", "created_at", asTime}}},
	{file: "media", name: "media", keys: 1, columns: []column{
		{"id", "id", asText}, {"kind", "kind", asText}, {"name", "name", asText}, {"mime", "mime", asText}, {"width", "width", asInteger},
		{"height", "height", asInteger}, {"bytes", "bytes", asLong}, {"sha256", "hash", asText}, {"blob", "blob", asText},
		{"credit", "credit", asText}, {"licence", "licence", asText}, {"alts", "alts", asObject}, {"captions", "captions", asObject},
		{"focal_x", "focal_x", asInteger}, {"focal_y", "focal_y", asInteger},
		{"rights", "rights", asText}, {"rights_until", "rights_until", asTime}, {"rights_note", "rights_note", asText},
		{"source", "source", asOptional}, {"created", "created_at", asTime}}},
	{file: "tiers", name: "tier", keys: 1, columns: []column{
		{"slug", "slug", asText}, {"names", "names", asObject}, {"position", "position", asInteger}, {"source", "source", asOptional}}},
	{file: "newsletters", name: "newsletter", keys: 1, columns: []column{
		{"slug", "slug", asText}, {"position", "position", asInteger}, {"names", "names", asObject}, {"descriptions", "descriptions", asObject},
		{"cadence", "cadence", asText}, {"source", "source", asOptional}}},
	{file: "stories", name: "story", keys: 1, columns: []column{
		{"id", "id", asText}, {"kind", "kind", asText}, {"section", "section_id", asOptional}, {"access", "access", asText},
		{"password_hash", "password_hash", asText}, {"lead_media", "lead_media_id", asOptional}, {"original_lang", "original_lang", asText},
		{"pinned", "pinned", asInteger}, {"source", "source", asOptional}, {"created_by", "created_by", asText}, {"created", "created_at", asTime}, {"updated", "updated_at", asTime}},
		inside: []inside{
			{field: "topics", name: "story_topic", parent: "story_id", position: true,
				columns: []column{{"topic", "topic_id", asText}}, order: []column{{"", "position", asInteger}}},
			{field: "bylines", name: "byline", parent: "story_id", position: true,
				columns: []column{{"author", "author_id", asText}, {"role", "role", asText}, {"lang", "lang", asText}},
				order:   []column{{"", "position", asInteger}, {"", "lang", asText}}},
		}},
	{file: "editions", name: "edition", keys: 1, derived: []string{"words", "month"}, columns: []column{
		{"id", "id", asText}, {"story", "story_id", asText}, {"lang", "lang", asText}, {"status", "status", asText}, {"slug", "slug", asText},
		{"path", "path", asOptional}, {"kicker", "kicker", asText}, {"headline", "headline", asText}, {"summary", "summary", asText},
		{"body", "body", asDocument}, {"lead_caption", "lead_caption", asText}, {"lead_alt", "lead_alt", asText},
		{"meta_title", "meta_title", asText}, {"meta_description", "meta_description", asText}, {"canonical_url", "canonical_url", asText},
		{"withdrawn_reason", "withdrawn_reason", asText}, {"revision", "revision", asLong}, {"published", "published_at", asTime},
		{"embargo", "embargo_until", asTime}, {"updated", "updated_at", asTime}, {"created", "created_at", asTime}}},
	{file: "revisions", name: "revision", keys: 2, keep: true, columns: []column{
		{"edition", "edition_id", asText}, {"seq", "seq", asLong}, {"editor", "editor", asText}, {"headline", "headline", asText},
		{"kicker", "kicker", asText}, {"summary", "summary", asText}, {"body", "body", asDocument}, {"created", "created_at", asTime}}},
	{file: "corrections", name: "correction", keys: 1, columns: []column{
		{"id", "id", asText}, {"story", "story_id", asText}, {"lang", "lang", asText}, {"at", "at", asTime}, {"text", "text", asText},
		{"changed", "changed", asText}}},
	{file: "redirects", name: "redirect", keys: 1, columns: []column{
		{"path", "path", asText}, {"target", "target", asText}, {"edition", "edition_id", asOptional}, {"created", "created_at", asTime}}},
	{file: "comments", name: "comment", keys: 1, columns: []column{
		{"id", "id", asText}, {"story", "story_id", asText}, {"parent", "parent_id", asOptional}, {"author_name", "author_name", asText},
		{"author_url", "author_url", asText}, {"text", "text", asText}, {"status", "status", asText}, {"at", "at", asTime},
		{"source", "source", asOptional}}},
	{file: "menus", name: "menu", keys: 1, columns: []column{
		{"slug", "slug", asText}, {"name", "name", asText}, {"items", "items", asList}, {"source", "source", asOptional}}},
	{file: "fronts", name: "front", keys: 2, columns: []column{
		{"id", "id", asText}, {"lang", "lang", asText}, {"version", "version", asLong}, {"staff", "staff_id", asText}, {"at", "at", asTime}}},
	{file: "front_items", name: "front_item", keys: 3, whole: true, columns: []column{
		{"front", "front", asText}, {"lang", "lang", asText}, {"position", "position", asInteger}, {"story", "story_id", asText}, {"size", "size", asText},
		{"until", "until", asTime}, {"pinned_by", "pinned_by", asText}, {"at", "at", asTime}}},
	{file: "settings", name: "setting", keys: 1, columns: []column{
		{"name", "name", asText}, {"value", "value", asText}, {"staff", "staff_id", asText}, {"at", "at", asTime}}},
	{file: "readers", name: "reader", keys: 1, columns: []column{
		{"id", "id", asText}, {"email", "email", asText}, {"email_key", "email_key", asText}, {"name", "name", asText}, {"lang", "lang", asText},
		{"note", "note", asText}, {"labels", "labels", asList}, {"epoch", "epoch", asLong}, {"source", "source", asOptional},
		{"created", "created_at", asTime}, {"confirmed", "confirmed_at", asTime}},
		inside: []inside{
			{field: "tiers", name: "reader_tier", parent: "reader_id",
				columns: []column{{"tier", "tier", asText}, {"until", "until", asTime}}, order: []column{{"", "tier", asText}}},
			{field: "newsletters", name: "reader_newsletter", parent: "reader_id",
				columns: []column{{"newsletter", "newsletter", asText}, {"since", "since", asTime}}, order: []column{{"", "newsletter", asText}}},
		}},
	{file: "consents", name: "reader_consent", keys: 1, keep: true, columns: []column{
		{"id", "id", asText}, {"reader", "reader_id", asText}, {"what", "what", asText}, {"given", "given", asFlag}, {"how", "how", asText}, {"at", "at", asTime}}},
	{file: "wall_rules", name: "wall_rule", keys: 1, whole: true, columns: []column{
		{"id", "id", asText}, {"position", "position", asInteger}, {"name", "name", asText}, {"condition", "condition", asText}, {"verdict", "verdict", asText}}},
	{file: "benefits", name: "benefit", keys: 1, whole: true, columns: []column{
		{"id", "id", asText}, {"position", "position", asInteger}, {"entitlement", "entitlement", asText}, {"texts", "texts", asObject}}},
	{file: "wall_texts", name: "wall_text", keys: 1, columns: []column{
		{"lang", "lang", asText}, {"texts", "texts", asObject}}},
	{file: "wall_versions", name: "wall_version", keys: 1, keep: true, columns: []column{
		{"seq", "seq", asLong}, {"design", "design", asText}, {"who", "who", asText}, {"at", "at", asTime}}},
	{file: "wall_drafts", name: "wall_draft", keys: 1, keep: true, columns: []column{
		{"id", "id", asText}, {"version", "version", asLong}, {"base", "base", asLong}, {"design", "design", asText}, {"who", "who", asText},
		{"updated", "updated_at", asTime}}},
	{file: "wall_lifts", name: "wall_lift", keys: 1, columns: []column{
		{"id", "id", asText}, {"section", "section", asText}, {"reason", "reason", asText}, {"who", "who", asText},
		{"starts", "starts_at", asTime}, {"ends", "ends_at", asTime}}},
	{file: "wall_trials", name: "wall_trial", keys: 1, columns: []column{
		{"id", "id", asText}, {"number", "number", asLong}, {"name", "name", asText}, {"share", "share", asInteger}, {"sample", "sample", asInteger},
		{"design", "design", asText}, {"who", "who", asText}, {"starts", "starts_at", asTime}, {"ends", "ends_at", asTime}, {"ended", "ended_at", asTime}}},
	{file: "wall_trial_counts", name: "wall_trial_count", keys: 3, columns: []column{
		{"trial", "trial_id", asText}, {"arm", "arm", asText}, {"what", "what", asText}, {"n", "n", asLong}}},
	{file: "gifts", name: "gift", keys: 1, columns: []column{
		{"id", "id", asText}, {"story", "story_id", asText}, {"reader", "reader_id", asText}, {"secret_hash", "secret_hash", asText},
		{"created", "created_at", asTime}, {"expires", "expires_at", asTime}, {"revoked", "revoked_at", asTime}, {"opened", "opened", asInteger}}},
	{file: "meter_reads", name: "meter_read", keys: 2, columns: []column{
		{"reader", "reader_id", asText}, {"story", "story_id", asText}, {"at", "at", asTime}}},
	{file: "staff", name: "staff", keys: 1, columns: []column{
		{"id", "id", asText}, {"email", "email", asText}, {"email_key", "email_key", asText}, {"name", "name", asText}, {"role", "role", asText},
		{"sections", "sections", asObject}, {"created", "created_at", asTime}, {"disabled", "disabled_at", asTime}}},
	{file: "assignments", name: "assignment", keys: 1, columns: []column{
		{"id", "id", asText}, {"story", "story_id", asText}, {"staff", "staff_id", asText}, {"task", "task", asText}, {"lang", "lang", asText},
		{"note", "note", asText}, {"due", "due_at", asTime}, {"done", "done_at", asTime}, {"created_by", "created_by", asText}, {"created", "created_at", asTime}}},
	{file: "moves", name: "edition_move", keys: 1, keep: true, columns: []column{
		{"id", "id", asText}, {"edition", "edition_id", asText}, {"at", "at", asTime}, {"name", "name", asText}, {"was", "was", asText}, {"became", "became", asText},
		{"staff", "staff_id", asText}, {"who", "who", asText}, {"note", "note", asText}, {"overruled", "overruled", asText}}},
	{file: "plans", name: "story_plan", keys: 1, columns: []column{
		{"story", "story_id", asText}, {"day", "day", asInteger}, {"legal", "legal", asText}, {"legal_by", "legal_by", asText}, {"legal_at", "legal_at", asTime}}},
	{file: "no_letters", name: "no_letters", keys: 1, keep: true, columns: []column{{"staff", "staff_id", asText}}},
	{file: "revision_writers", name: "revision_writer", keys: 3, keep: true, columns: []column{
		{"edition", "edition_id", asText}, {"seq", "seq", asLong}, {"staff", "staff_id", asText}}},
	{file: "drafts", name: "draft", keys: 1, keep: true, columns: []column{
		{"edition", "edition_id", asText}, {"version", "version", asLong}, {"body", "body", asWorking}, {"base", "base", asLong},
		{"revision", "revision", asLong}, {"kept", "kept", asLong}, {"unkept", "unkept", asFlag}, {"kept_at", "kept_at", asTime},
		{"remarks", "remarks", asLong}, {"outside", "outside", asLong}, {"conflicts", "conflicts", asInteger}, {"updated", "updated_at", asTime}}},
	{file: "draft_fields", name: "draft_field", keys: 2, keep: true, columns: []column{
		{"edition", "edition_id", asText}, {"name", "name", asText}, {"value", "value", asText}, {"version", "version", asLong},
		{"staff", "staff_id", asText}, {"at", "at", asTime}}},
	{file: "remark_threads", name: "remark_thread", keys: 1, columns: []column{
		{"id", "id", asText}, {"story", "story_id", asText}, {"edition", "edition_id", asOptional}, {"from", "from_pos", asLong}, {"to", "to_pos", asLong},
		{"anchor", "anchor", asText}, {"resolved_by", "resolved_by", asText}, {"resolved", "resolved_at", asTime}, {"created", "created_at", asTime}}},
	{file: "remarks", name: "remark", keys: 1, keep: true, columns: []column{
		{"id", "id", asText}, {"thread", "thread_id", asText}, {"staff", "staff_id", asText}, {"text", "text", asText},
		{"mentions", "mentions", asList}, {"at", "at", asTime}}},
	{file: "translations", name: "translation", keys: 1, columns: []column{
		{"edition", "edition_id", asText}, {"revision", "revision", asLong}}},
	{file: "audit", name: "audit", keys: 1, keep: true, columns: []column{
		{"id", "id", asText}, {"at", "at", asTime}, {"staff", "staff_id", asText}, {"email", "staff_email", asText}, {"act", "act", asText},
		{"object", "object", asText}, {"detail", "detail", asObject}}},
}

// omitted are the tables and columns that no archive has: secrets that sign
// somebody in, counters, and what is made anew.
var omitted = map[string]string{
	"session":           "signs a reader in",
	"signin":            "signs a reader in",
	"staff_session":     "signs staff in",
	"staff_link":        "signs staff in",
	"staff_passkey":     "signs staff in",
	"staff_totp":        "signs staff in, and is sealed with this newsroom's key",
	"staff_recovery":    "signs staff in",
	"staff_ceremony":    "a challenge of minutes",
	"api_token":         "opens the API",
	"idempotency":       "answers of a day",
	"webhook":           "is sealed with this newsroom's key; another is told nothing without asking",
	"webhook_delivery":  "what was sent by this newsroom",
	"rate":              "counters of minutes",
	"change":            "tells running nodes what to forget",
	"link_check":        "asked for anew",
	"told":              "what was mailed from here",
	"wall_record":       "numbers of some weeks about this newsroom's visits",
	"draft_step":        "what led to a working copy, for those who have it open",
	"search_entry":      "made anew",
	"search_heads":      "made anew",
	"search_words":      "made anew",
	"media.variants":    "made anew",
	"media.rights_told": "tells running nodes what to forget",
	"media_use":         "made anew",
	"media_read":        "made anew",
	"media_upload":      "a lock of seconds",
}

func (t table) fileName() string { return t.file + ".jsonl" }

// index gives the place of the column, which must be there.
func (t table) index(name string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
}

// where names a row for people: "stories 0192…".
func (t table) where(key []any) string {
	parts := make([]string, len(key))
	for i, k := range key {
		parts[i] = fmt.Sprint(k)
	}
	return t.file + " " + strings.Join(parts, "/")
}

// refuse is a fault of an archive's content, at a place in it.
func refuse(place, why string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, place+": "+why, args...)
}
