package archive

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// OldAddress is one line of a file of redirects.
type OldAddress struct {
	Line     int // from 1; of JSON, the number of the rule
	From, To string
	Pattern  bool // From is no one address
	Unread   bool // the line cannot be read; From has it
}

// ReadRedirects reads a file of redirects: Ghost's redirects.yaml or
// redirects.json, by the end of the name, or else CSV of two columns, from and
// to, with or without a head. Every line is given, also what is of no use.
func ReadRedirects(name string, r io.Reader) ([]OldAddress, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("archive.ReadRedirects(%s): %w", name, err)
	}
	if len(raw) > maxConfig {
		return nil, fmt.Errorf("archive.ReadRedirects(%s): the file is larger than %d MB", name, maxConfig>>20)
	}
	content := strings.TrimPrefix(strings.ToValidUTF8(withoutNUL(string(raw)), "\uFFFD"), "\uFEFF")
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return readRedirectsJSON(content)
	case ".yaml", ".yml":
		return readRedirectsYAML(content), nil
	}
	return readRedirectsCSV(content), nil
}

func readRedirectsJSON(content string) (all []OldAddress, err error) {
	var rules []ghostRule
	if err := json.Unmarshal([]byte(content), &rules); err != nil {
		return nil, fmt.Errorf("archive.ReadRedirects: %w", err)
	}
	for i, rule := range rules {
		all = append(all, asOldAddress(i+1, rule))
	}
	return all, nil
}

func readRedirectsYAML(content string) (all []OldAddress) {
	n := 0
	for line := range strings.SplitSeq(content, "\n") {
		n++
		rules, bad := yamlRules(line)
		for _, rule := range rules {
			all = append(all, asOldAddress(n, rule))
		}
		for _, b := range bad {
			all = append(all, OldAddress{Line: n, From: clip(b, 100), Unread: true})
		}
	}
	return all
}

func asOldAddress(line int, rule ghostRule) OldAddress {
	from, ok := plainPath(string(rule.From))
	if !ok {
		from = clip(string(rule.From), 200)
	}
	return OldAddress{Line: line, From: from, To: string(rule.To), Pattern: !ok && strings.ContainsAny(from, `*+?()[]{}|^$\`)}
}

func readRedirectsCSV(content string) (all []OldAddress) {
	r := csv.NewReader(strings.NewReader(content))
	r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = -1, true, true
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		line, _ := r.FieldPos(0)
		switch {
		case err != nil:
			var p *csv.ParseError
			if errors.As(err, &p) {
				line = p.Line
			}
			all = append(all, OldAddress{Line: line, Unread: true})
		case len(record) == 1 && strings.TrimSpace(record[0]) == "":
		case len(record) < 2:
			all = append(all, OldAddress{Line: line, From: clip(record[0], 100), Unread: true})
		case len(all) == 0 && strings.EqualFold(record[0], "from") && strings.EqualFold(record[1], "to"):
		default:
			// Brackets and dots stand in addresses, too; these hardly ever do.
			all = append(all, OldAddress{Line: line, From: record[0], To: record[1], Pattern: strings.ContainsAny(record[0], `*^$|\`)})
		}
	}
}
