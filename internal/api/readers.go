package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// Reader is somebody who has registered, or whose account was brought in.
type Reader struct {
	ID          string    `json:"id"`
	Email       string    `json:"email" format:"email"`
	Name        string    `json:"name,omitempty"`
	Lang        string    `json:"lang,omitempty" doc:"BCP 47"`
	Note        string    `json:"note,omitempty" doc:"The newsroom's own; the reader gets it with the export"`
	Labels      []string  `json:"labels" nullable:"false" doc:"The newsroom's own"`
	Source      string    `json:"source,omitempty" doc:"Where the account was brought in from"`
	Tiers       []Holding `json:"tiers" nullable:"false" doc:"What the reader was given, also what has ended"`
	Newsletters []string  `json:"newsletters" nullable:"false" doc:"Slugs"`
	Registered  time.Time `json:"registered"`
	Confirmed   time.Time `json:"confirmed,omitzero" doc:"First sign-in, which shows that the address is the reader's"`
}

// Holding is a tier that a reader holds.
type Holding struct {
	Tier  string    `json:"tier" maxLength:"200" doc:"Slug"`
	Until time.Time `json:"until,omitzero" doc:"Absent: without end"`
}

// NewReader is a reader who is brought in.
type NewReader struct {
	Email       string    `json:"email" minLength:"3" maxLength:"254"`
	Name        string    `json:"name,omitempty" maxLength:"500"`
	Lang        string    `json:"lang,omitempty" maxLength:"35" doc:"BCP 47"`
	Note        string    `json:"note,omitempty" maxLength:"5000"`
	Labels      []string  `json:"labels,omitempty" nullable:"false" maxItems:"50"`
	Source      string    `json:"source,omitempty" maxLength:"200" doc:"A name of yours for the reader, such as crm:4711: he is known by it when he comes again"`
	Tiers       []Holding `json:"tiers,omitempty" nullable:"false" maxItems:"50"`
	Newsletters []string  `json:"newsletters,omitempty" nullable:"false" maxItems:"50" doc:"Slugs; chosen for a new reader alone, who has agreed to it"`
}

// ReaderChange is what is to be changed of a reader.
type ReaderChange struct {
	Name   *string   `json:"name,omitempty" maxLength:"500"`
	Lang   *string   `json:"lang,omitempty" maxLength:"35" doc:"BCP 47"`
	Note   *string   `json:"note,omitempty" maxLength:"5000"`
	Labels *[]string `json:"labels,omitempty" nullable:"false" maxItems:"50" doc:"All of them"`
}

// Tier is something that a reader can hold and a story can ask for.
type Tier struct {
	Slug  string      `json:"slug"`
	Names story.Texts `json:"names" doc:"By language"`
}

func (n *Newsroom) readerOperations(h huma.API) {
	read := func(o operation) operation {
		o.method, o.scope, o.act = "GET", staff.ReadersRead, staff.ReadReaders
		return o
	}
	keep := func(o operation) operation {
		o.scope, o.act = staff.ReadersWrite, staff.KeepReaders
		return o
	}
	register(n, h, read(operation{id: "list-readers", path: "/api/v1/readers", summary: "Readers, the newest first", faults: []int{400}}), n.readers)
	register(n, h, read(operation{id: "get-reader", path: "/api/v1/readers/{reader}", summary: "One reader", faults: []int{404}}), n.reader)
	register(n, h, read(operation{id: "list-tiers", path: "/api/v1/tiers", summary: "Every tier"}), n.tiers)
	register(n, h, keep(operation{id: "save-reader", method: "POST", path: "/api/v1/readers", summary: "Bring a reader in",
		about: "Who is here already is known by source or address. What he has set himself stays; tiers follow what is sent. The answer is 201 where he is new."}), n.saveReader)
	register(n, h, keep(operation{id: "change-reader", method: "PATCH", path: "/api/v1/readers/{reader}", summary: "Change a reader", about: "What is absent stays.", faults: []int{404}}), n.changeReader)
	register(n, h, keep(operation{id: "delete-reader", method: "DELETE", path: "/api/v1/readers/{reader}", summary: "Delete a reader",
		about: "With everything that is kept of him. It cannot be taken back.", faults: []int{404}}), n.deleteReader)
	register(n, h, keep(operation{id: "export-reader", method: "GET", path: "/api/v1/readers/{reader}/export", summary: "Everything that is kept of a reader", about: "As the reader would be given it.", faults: []int{404}}), n.exportReader)
	register(n, h, keep(operation{id: "give-tier", method: "PUT", path: "/api/v1/readers/{reader}/tiers/{tier}", summary: "Give a reader a tier", faults: []int{404}}), n.giveTier)
	register(n, h, keep(operation{id: "take-tier", method: "DELETE", path: "/api/v1/readers/{reader}/tiers/{tier}", summary: "Take a tier from a reader", faults: []int{404}}), n.takeTier)
}

type readersInput struct {
	Paging
	Email      string `query:"email" maxLength:"254" doc:"The reader with this address"`
	Tier       string `query:"tier" maxLength:"200" doc:"Who holds this tier now; slug"`
	Newsletter string `query:"newsletter" maxLength:"200" doc:"Who has chosen this newsletter; slug"`
}

type readersOutput struct {
	Link string `header:"Link"`
	Body struct {
		Readers []Reader `json:"readers" nullable:"false"`
		Next    string   `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
	}
}

func (n *Newsroom) readers(ctx context.Context, in *readersInput) (*readersOutput, error) {
	q := n.DB.Read()
	c, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	var list []reader.Reader
	if in.Email != "" {
		one, err := n.Readers.ByEmail(ctx, q, in.Email)
		if err == nil {
			list = []reader.Reader{one}
		} else if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	} else if list, err = n.Readers.Narrow(ctx, q, reader.Cursor{CreatedAt: c.PublishedAt, ID: c.EditionID}, in.Tier, in.Newsletter, in.Limit+1); err != nil {
		return nil, err
	}
	out := &readersOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		last := list[in.Limit-1]
		out.Body.Next = formatCursor(story.Cursor{PublishedAt: last.CreatedAt, EditionID: last.ID})
	}
	out.Link = n.link("/api/v1/readers", url.Values{"tier": {in.Tier}, "newsletter": {in.Newsletter}, "limit": {strconv.Itoa(in.Limit)}}, out.Body.Next)
	out.Body.Readers, err = n.readersOf(ctx, q, list...)
	return out, err
}

func (n *Newsroom) readerOf(ctx context.Context, q db.Queryer, r reader.Reader) (Reader, error) {
	list, err := n.readersOf(ctx, q, r)
	if err != nil {
		return Reader{}, err
	}
	return list[0], nil
}

func (n *Newsroom) readersOf(ctx context.Context, q db.Queryer, all ...reader.Reader) ([]Reader, error) {
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	held, err := n.Readers.HoldingsOf(ctx, q, ids...)
	if err != nil {
		return nil, err
	}
	chosen, err := n.Readers.NewslettersOf(ctx, q, ids...)
	if err != nil {
		return nil, err
	}
	list := make([]Reader, len(all))
	for i, r := range all {
		one := Reader{ID: r.ID, Email: r.Email, Name: r.Name, Lang: r.Lang, Note: r.Note, Labels: r.Labels, Source: r.Source, Tiers: []Holding{}, Newsletters: []string{},
			Registered: r.CreatedAt, Confirmed: r.ConfirmedAt}
		for _, h := range held[r.ID] {
			one.Tiers = append(one.Tiers, Holding(h))
		}
		for _, l := range chosen[r.ID] {
			one.Newsletters = append(one.Newsletters, l.Newsletter)
		}
		list[i] = one
	}
	return list, nil
}

// ReaderPath names a reader in an address.
type ReaderPath struct {
	Reader string `path:"reader" maxLength:"64" doc:"The reader's ID"`
}

type readerOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     Reader
}

func (n *Newsroom) reader(ctx context.Context, in *ReaderPath) (*readerOutput, error) {
	q := n.DB.Read()
	r, err := n.Readers.ByID(ctx, q, in.Reader)
	if err != nil {
		return nil, err
	}
	one, err := n.readerOf(ctx, q, r)
	return &readerOutput{Status: http.StatusOK, Body: one}, err
}

type tiersOutput struct {
	Body struct {
		Tiers []Tier `json:"tiers" nullable:"false"`
	}
}

func (n *Newsroom) tiers(ctx context.Context, _ *nothing) (*tiersOutput, error) {
	all, err := n.Readers.Tiers(ctx, n.DB.Read())
	out := &tiersOutput{}
	out.Body.Tiers = make([]Tier, len(all))
	for i, t := range all {
		out.Body.Tiers[i] = Tier{Slug: t.Slug, Names: texts(t.Names)}
	}
	return out, err
}

// isTier refuses a slug that no tier has.
func (n *Newsroom) isTier(ctx context.Context, q db.Queryer, slug string) error {
	all, err := n.Readers.Tiers(ctx, q)
	if err == nil && !slices.ContainsFunc(all, func(t reader.Tier) bool { return t.Slug == slug }) {
		err = fault.New(fault.Invalid, "there is no such tier", "tier", slug).WithHint("see /api/v1/tiers")
	}
	return err
}

// hold checks a tier and until when it is to be held.
func (n *Newsroom) hold(ctx context.Context, q db.Queryer, h Holding) (reader.Holding, error) {
	if err := n.isTier(ctx, q, h.Tier); err != nil {
		return reader.Holding{}, err
	}
	if y := h.Until.Year(); !h.Until.IsZero() && (y < 1970 || y > 9999) {
		return reader.Holding{}, fault.New(fault.Invalid, "the tier ends at no time that can be kept")
	}
	return reader.Holding{Tier: h.Tier, Until: h.Until.UTC()}, nil
}

type saveReaderInput struct{ Body NewReader }

func (n *Newsroom) saveReader(ctx context.Context, in *saveReaderInput) (out *readerOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		b := in.Body
		var tiers []reader.Holding
		for _, h := range b.Tiers {
			held, err := n.hold(ctx, tx, h)
			if err != nil {
				return "", err
			}
			tiers = append(tiers, held)
		}
		for _, slug := range b.Newsletters {
			if _, err := n.Newsletters.BySlug(ctx, tx, slug); err != nil {
				return "", invalid(err)
			}
		}
		labels, err := lines("a label", b.Labels)
		if err != nil {
			return "", err
		}
		if b.Source, err = line("source", b.Source, 200); err != nil {
			return "", err
		}
		r, created, err := n.Readers.Upsert(ctx, tx, reader.Reader{Email: b.Email, Name: b.Name, Lang: b.Lang, Note: b.Note, Labels: labels, Source: b.Source}, tiers, b.Newsletters)
		if err != nil {
			return "", err
		}
		one, err := n.readerOf(ctx, tx, r)
		out = &readerOutput{Status: http.StatusOK, Body: one, Location: n.absolute("/api/v1/readers/" + r.ID)}
		if detail["saved"] = "changed"; created {
			out.Status, detail["saved"] = http.StatusCreated, "new"
		}
		return "reader:" + r.ID, err
	})
	return out, err
}

// lines cleans short texts, and leaves out what is empty or comes twice.
func lines(name string, texts []string) ([]string, error) {
	var clean []string
	for _, t := range texts {
		t, err := line(name, t, 200)
		if err != nil {
			return nil, err
		}
		if t != "" && !slices.Contains(clean, t) {
			clean = append(clean, t)
		}
	}
	return clean, nil
}

type changeReaderInput struct {
	ReaderPath
	Body ReaderChange
}

func (n *Newsroom) changeReader(ctx context.Context, in *changeReaderInput) (out *readerOutput, err error) {
	err = n.changeOf(ctx, in.Reader, &out, func(ctx context.Context, tx *db.Tx, r reader.Reader, detail map[string]string) error {
		b := in.Body
		if b.Name != nil || b.Lang != nil {
			if b.Name != nil {
				r.Name = *b.Name
			}
			if b.Lang != nil {
				r.Lang = *b.Lang
			}
			detail["profile"] = "changed"
			if err := n.Readers.SetProfile(ctx, tx, r.ID, r.Name, r.Lang); err != nil {
				return err
			}
		}
		if b.Note == nil && b.Labels == nil {
			return nil
		}
		if b.Note != nil {
			r.Note = *b.Note
		}
		if b.Labels != nil {
			var err error
			if r.Labels, err = lines("a label", *b.Labels); err != nil {
				return err
			}
		}
		detail["note"] = "changed"
		return n.Readers.SetNote(ctx, tx, r.ID, r.Note, r.Labels)
	})
	return out, err
}

// changeOf changes a reader who is here, and gives him as he is then.
func (n *Newsroom) changeOf(ctx context.Context, id string, out **readerOutput, fn func(ctx context.Context, tx *db.Tx, r reader.Reader, detail map[string]string) error) error {
	return n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		r, err := n.Readers.ByID(ctx, tx, id)
		if err != nil {
			return "", err
		}
		if err := fn(ctx, tx, r, detail); err != nil {
			return "", err
		}
		if r, err = n.Readers.ByID(ctx, tx, id); err != nil {
			return "", err
		}
		one, err := n.readerOf(ctx, tx, r)
		*out = &readerOutput{Status: http.StatusOK, Body: one}
		return "reader:" + id, err
	})
}

func (n *Newsroom) deleteReader(ctx context.Context, in *ReaderPath) (*struct{}, error) {
	return nil, n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		detail["deleted"] = "yes"
		return "reader:" + in.Reader, n.Readers.Delete(ctx, tx, in.Reader)
	})
}

type exportOutput struct{ Body any }

func (n *Newsroom) exportReader(ctx context.Context, in *ReaderPath) (out *exportOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		reads, err := n.WallStore.Reads(ctx, tx, in.Reader, time.Time{})
		if err != nil {
			return "", err
		}
		gifts, err := n.WallStore.GiftsOf(ctx, tx, in.Reader)
		if err != nil {
			return "", err
		}
		export, err := n.Readers.Export(ctx, tx, in.Reader, wall.Export(reads, gifts))
		out, detail["export"] = &exportOutput{export}, "json"
		return "reader:" + in.Reader, err
	})
	return out, err
}

// TierPath names a tier of a reader in an address.
type TierPath struct {
	ReaderPath
	Tier string `path:"tier" maxLength:"200" doc:"Slug"`
}

type giveTierInput struct {
	TierPath
	Body struct {
		Until time.Time `json:"until,omitzero" doc:"Absent: without end"`
	}
}

func (n *Newsroom) giveTier(ctx context.Context, in *giveTierInput) (out *readerOutput, err error) {
	err = n.changeOf(ctx, in.Reader, &out, func(ctx context.Context, tx *db.Tx, r reader.Reader, detail map[string]string) error {
		h, err := n.hold(ctx, tx, Holding{in.Tier, in.Body.Until})
		if err != nil {
			return err
		}
		if detail["tier given"] = h.Tier; !h.Until.IsZero() {
			detail["until"] = h.Until.Format(time.RFC3339)
		}
		return n.Readers.Grant(ctx, tx, r.ID, h.Tier, h.Until)
	})
	return out, err
}

func (n *Newsroom) takeTier(ctx context.Context, in *TierPath) (out *readerOutput, err error) {
	err = n.changeOf(ctx, in.Reader, &out, func(ctx context.Context, tx *db.Tx, r reader.Reader, detail map[string]string) error {
		detail["tier taken"] = cut(in.Tier)
		return n.Readers.Revoke(ctx, tx, r.ID, in.Tier)
	})
	return out, err
}
