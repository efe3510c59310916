package archive

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/reader"
	"masthead/internal/story"
)

// maxRecord is how many bytes one line of the members' CSV may have, about.
const maxRecord = 1 << 20

// batchMembers is how many members one transaction writes.
const batchMembers = 200

// member is one line of the CSV, by the names of its columns.
type member struct {
	line   int
	fields map[string]string
}

// members brings in the members' CSV. Columns may stand in any order.
func (g *ghost) members(path string) error {
	src, err := openSource(path, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	budget := &budgetReader{r: src}
	budget.left = maxRecord
	r := csv.NewReader(budget)
	r.FieldsPerRecord = -1
	if head, err := src.Peek(200); len(head) > 0 && (err == nil || errors.Is(err, io.EOF)) {
		first, _, _ := strings.Cut(string(head), "\n")
		if strings.Count(first, ";") > strings.Count(first, ",") {
			r.Comma = ';'
		}
	}
	broken := func(err error) error {
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			return fault.New(fault.Invalid, "the members' file is not good CSV", "file", src.name, "line", e.Line, "fault", e.Err).
				WithHint("export the members again; do not edit the file in a spreadsheet")
		}
		return err
	}
	header, err := r.Read()
	if err != nil {
		return broken(err)
	}
	columns := make([]string, len(header))
	for i, name := range header {
		columns[i] = strings.ToLower(strings.TrimSpace(name))
	}
	if !slices.Contains(columns, "email") {
		return fault.New(fault.Invalid, "the members' file has no column email", "file", src.name).
			WithHint("in Ghost, open Members and choose Export all members")
	}
	seen := map[string]string{}
	var batch []member
	for {
		budget.left = maxRecord
		record, err := r.Read()
		if err != nil && !errors.Is(err, io.EOF) {
			return broken(err)
		}
		done := err != nil
		if !done {
			line, _ := r.FieldPos(0)
			m := member{line: line, fields: map[string]string{}}
			for i, field := range record {
				if i < len(columns) {
					m.fields[columns[i]] = strings.TrimSpace(withoutNUL(field))
				}
			}
			batch = append(batch, m)
		}
		if len(batch) >= batchMembers || done && len(batch) > 0 {
			if err := g.saveMembers(batch, seen); err != nil {
				return err
			}
			batch = batch[:0]
		}
		if done {
			return nil
		}
	}
}

func (g *ghost) saveMembers(batch []member, seen map[string]string) error {
	if err := g.ctx.Err(); err != nil {
		return err
	}
	return g.inTx(func(tx *db.Tx) error {
		for _, m := range batch {
			if err := g.member(tx, m, seen); err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *ghost) member(tx *db.Tx, m member, seen map[string]string) error {
	email := m.fields["email"]
	source := "ghost:" + cmp.Or(m.fields["id"], fmt.Sprintf("member-on-line-%d", m.line))
	name := reader.Mask(email)
	if m.fields["deleted_at"] != "" {
		g.skip(source, name, "the member was deleted on "+m.fields["deleted_at"])
		return nil
	}
	if _, err := reader.ParseEmail(email); err != nil {
		g.skip(source, "", fmt.Sprintf("line %d: %s", m.line, why(err)))
		return nil
	}
	if m.fields["id"] == "" { // the address is what stays the same
		source = "ghost:member:" + reader.EmailKey(email)
	}
	if by, ok := seen[reader.EmailKey(email)]; ok {
		g.skip(source, name, "line "+fmt.Sprint(m.line)+": the address is that of "+by)
		return nil
	}
	change := func(format string, args ...any) { g.change(source, name, fmt.Sprintf(format, args...)) }
	r := reader.Reader{Email: email, Note: m.fields["note"], Source: source, Labels: list(m.fields["labels"])}
	var err error
	if r.Name, err = reader.CheckName(m.fields["name"]); err != nil {
		change("the name was left out: %s", why(err))
	}
	at, ok := parseTime(m.fields["created_at"])
	if !ok {
		change("the time %q cannot be read", m.fields["created_at"])
	}
	r.CreatedAt = at
	tiers := g.held(m, change)
	var newsletters []string
	switch strings.ToLower(m.fields["subscribed_to_emails"]) {
	case "true", "1", "yes":
		newsletters = g.signupLists()
	}
	saved, err := g.item(tx, source, name, func() error {
		_, _, err := g.Readers.Upsert(g.ctx, tx, r, tiers, newsletters)
		return err
	})
	if err == nil && saved {
		seen[reader.EmailKey(email)] = source
		g.report.Readers++
	}
	return err
}

// held gives the tiers that a member holds: those that are named, the tier paid
// for any of them and for a complimentary plan, and those made for several.
func (g *ghost) held(m member, change func(string, ...any)) []reader.Holding {
	var slugs []string
	for _, name := range list(m.fields["tiers"]) {
		i := slices.IndexFunc(g.tables.products, func(p ghostProduct) bool {
			return string(p.Name) == name || string(p.Slug) == name || string(p.ID) == name
		})
		switch {
		case i < 0:
			change("the tier %q is not in the export; the member holds the tier %s", name, paidTier)
			slugs = append(slugs, paidTier)
		case g.tables.products[i].Type != "free":
			slugs = append(slugs, g.tables.products[i].tier(), paidTier)
		}
	}
	switch strings.ToLower(m.fields["complimentary_plan"]) {
	case "true", "1", "yes":
		slugs = append(slugs, paidTier)
	}
	if len(slugs) == 0 && m.fields["stripe_customer_id"] != "" {
		change("the member is a customer at Stripe, and the file names no tier: grant one by hand if the subscription runs")
	}
	for combo, tiers := range g.combos {
		if slices.ContainsFunc(tiers, func(t string) bool { return slices.Contains(slugs, t) }) {
			slugs = append(slugs, combo)
		}
	}
	slices.Sort(slugs)
	var held []reader.Holding
	for _, s := range slices.Compact(slugs) {
		held = append(held, reader.Holding{Tier: s})
	}
	return held
}

// signupLists gives the newsletters that a subscribed member gets: the file does
// not tell which, so those that the old site signed everybody up for.
func (g *ghost) signupLists() []string {
	if g.Newsletters == nil {
		return nil
	}
	var slugs []string
	for _, n := range g.tables.newsletters {
		if n.Status != "archived" && bool(n.Signup) {
			slugs = append(slugs, cmp.Or(story.Slug(string(n.Slug)), story.Slug(string(n.Name))))
		}
	}
	return slugs
}

// list splits a field at its commas.
func list(field string) []string {
	var all []string
	for part := range strings.SplitSeq(field, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// budgetReader fails when one record takes more bytes than it may: a quotation
// mark that is never closed would take the rest of the file.
type budgetReader struct {
	r    *source
	left int
}

// Read reads little at a time, so that what is read ahead does not count for much.
func (b *budgetReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fault.New(fault.Invalid, "one line of the members' file has more than 1 MB", "file", b.r.name).
			WithHint("a quotation mark may not be closed: export the members again")
	}
	n, err := b.r.Read(p[:min(len(p), 4096)])
	b.left -= n
	return n, err
}
