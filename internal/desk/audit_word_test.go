package desk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/draft"
	"masthead/internal/language"
	"masthead/internal/staff"
)

// writtenDetails finds, in the source of the whole program, what is written to
// the details of the log: every name, and every value that stands there in so
// many words, by name. A name that is worked out in a way that this does not
// know fails the test.
func writtenDetails(t *testing.T) (names map[string]bool, words map[string]map[string]bool) {
	t.Helper()
	names, words = map[string]bool{}, map[string]map[string]bool{}
	note := func(name string, value ast.Expr) {
		names[name] = true
		if word, ok := literalText(value); ok {
			if words[word] == nil {
				words[word] = map[string]bool{}
			}
			words[word][name] = true
		}
	}
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			ranged := map[string][]string{} // names that a loop over a literal map gives
			worked := func(key, value ast.Expr) {
				if name, ok := literalText(key); ok {
					note(name, value)
					return
				}
				switch k := key.(type) {
				case *ast.BinaryExpr: // "in " + section
					if name, ok := literalText(k.X); ok && name == "in " {
						note("in", value)
						return
					}
				case *ast.Ident:
					if len(ranged[k.Name]) > 0 {
						for _, name := range ranged[k.Name] {
							note(name, value)
						}
						return
					}
					switch filepath.Base(path) {
					case "site.go", "site_look.go": // settings, which are told by their own names
						return
					case "story_facts.go":
						for _, name := range draft.FieldNames() {
							note(name, value)
						}
						return
					}
				}
				t.Errorf("%s: this test does not know which names a detail has here", set.Position(key.Pos()))
			}
			table := func(e ast.Expr) {
				lit, ok := e.(*ast.CompositeLit)
				if !ok {
					return
				}
				if _, ok := lit.Type.(*ast.MapType); !ok {
					return
				}
				for _, el := range lit.Elts {
					pair := el.(*ast.KeyValueExpr)
					worked(pair.Key, pair.Value)
				}
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.RangeStmt:
					lit, ok := n.X.(*ast.CompositeLit)
					name, isName := n.Key.(*ast.Ident)
					if ok && isName {
						for _, el := range lit.Elts {
							if pair, ok := el.(*ast.KeyValueExpr); ok {
								if key, ok := literalText(pair.Key); ok {
									ranged[name.Name] = append(ranged[name.Name], key)
								}
							}
						}
					}
				case *ast.AssignStmt:
					for i, left := range n.Lhs {
						index, ok := left.(*ast.IndexExpr)
						if !ok {
							continue
						}
						if x, ok := index.X.(*ast.Ident); ok && x.Name == "detail" {
							var value ast.Expr
							if len(n.Rhs) == len(n.Lhs) {
								value = n.Rhs[i]
							}
							worked(index.Index, value)
						}
					}
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Detail" {
						table(n.Value)
					}
				case *ast.CallExpr:
					name := ""
					switch f := n.Fun.(type) {
					case *ast.Ident:
						name = f.Name
					case *ast.SelectorExpr:
						name = f.Sel.Name
					}
					if name == "entry" || name == "byProgram" {
						for _, arg := range n.Args {
							table(arg)
						}
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, words
}

func literalText(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// aside are words that stand in details without being written there in so many.
var aside = []string{"true", "false", "gone", "failing", "the_door", "a_colleague"}

// TestDetailsHaveWords proves that whatever the program writes to the details
// of the log is told in each language of the desk, and that no catalogue has
// words for what is never written.
func TestDetailsHaveWords(t *testing.T) {
	names, words := writtenDetails(t)
	if len(names) < 80 || len(words) < 20 {
		t.Fatalf("only %d names and %d words were found", len(names), len(words))
	}
	d := &Desk{Config: config.Config{Timezone: time.UTC}}
	english := Base{Furniture: language.Get("en")}
	for _, lang := range language.Furnished() {
		b := Base{Furniture: language.Get(lang), Lang: lang, Dir: language.Dir(lang)}
		for name := range names {
			key := "desk.detail." + underscored(name)
			if name == "in" {
				name = "in region"
			}
			told := d.auditDetail(b, staff.Entry{}, name, "x")
			if !b.Has(key) || strings.HasPrefix(told.Name, "[") {
				t.Errorf("%s has no word for the detail %q", lang, name)
			}
		}
		for word, under := range words {
			for name := range under {
				if slices.Contains(freeText, name) {
					t.Errorf("%s holds what people type, and also says %q", name, word)
				}
				told := d.auditDetail(b, staff.Entry{}, name, word).Value
				if !b.Has("desk.detail_is."+underscored(word)) && word != "csv" && word != "json" {
					t.Errorf("%s has no words for %s: %q, which is told as %q", lang, name, word, told)
				}
			}
		}
	}
	for key := range english.Table("desk.detail.") {
		if !names[key] && !names[strings.ReplaceAll(key, "_", " ")] {
			t.Errorf("the catalogues tell of the detail %s, which nothing writes", key)
		}
	}
	for key := range english.Table("desk.detail_is.") {
		if words[strings.ReplaceAll(key, "_", " ")] == nil && !slices.Contains(aside, key) {
			t.Errorf("the catalogues tell of the word %s, which nothing writes", key)
		}
	}
	for _, act := range staff.Acts() {
		if !english.Has("desk.act."+strings.ReplaceAll(string(act), ".", "_")) && act != staff.ReadDesk && act != staff.ReadReaders && act != staff.ReadAudit {
			t.Errorf("the act %s has no word", act)
		}
	}
}

// TestAuditSpeaks reads one log in each language, and its exports, which stay as
// they were written.
func TestAuditSpeaks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		amman, err := time.LoadLocation("Asia/Amman")
		if err != nil {
			t.Fatal(err)
		}
		o.Config.Timezone = amman
		o.signIn(t)
		record := func(act staff.Act, object string, detail map[string]string) {
			o.tx(t, func(tx *db.Tx) error {
				return o.Staff.Record(t.Context(), tx, staff.Entry{Who: o.owner, Act: act, Object: object, Detail: detail})
			})
		}
		record(staff.KeepStaff, "staff:x", map[string]string{"role": "reporter → editor", "in region": " → publisher", "disabled": "yes"})
		record(staff.PublishStory, "edition:x", map[string]string{"move": "schedule", "at": "2026-11-22T22:30:00Z", "note": "=<b>yes</b>"})
		record(staff.Overrule, "edition:x", map[string]string{"warnings": "alt, topic", "reason": "yes"})
		record(staff.WriteStory, "edition:x", map[string]string{"access": "tier:gold", "headline": "changed", "until": "2026-12-01", "of a later version": "so"})
		record(staff.KeepSite, "site", map[string]string{"gift-quota": "7", "tagline": ""})
		o.owner = staff.Program()
		record(staff.KeepTokens, "webhook:x", map[string]string{"switched off": "failing"})
		for lang, want := range map[string][]string{
			"en": {"Reporter → Editor", "in region", "– → Publisher", "23 November 2026, 01:30", "1 December 2026", "A picture has no alternative text. It has no topic.", "for gold", ">headline:<", "<bdi>changed</bdi>", "<bdi>the program</bdi>", "nothing was taken", "of a later version", "reason", "<bdi>yes</bdi>"},
			"ar": {"مراسل ← محرر", "في \u2068region\u2069", "– ← مسؤول النشر", "23 نوفمبر 2026، 01:30", "1 ديسمبر 2026", "ليس لها", "لمشتركي \u2068gold\u2069", "<bdi>تغيّر</bdi>", "ممنوع من الدخول", "منذ أيام", "<bdi>نعم</bdi>", "السبب"},
			"he": {"כתב ← עורך", "במדור \u2068region\u2069", "23 בנובמבר 2026, 01:30", "1 בדצמבר 2026", "<bdi>השתנה</bdi>", "חסום", "<bdi>כן</bdi>"},
			"ru": {"Корреспондент → Редактор", "в разделе region", "23 ноября 2026, 01:30", "1 декабря 2026", "<bdi>изменено</bdi>", "<bdi>да</bdi>", "причина"},
			"fr": {"Reporter → Rédacteur", "dans region", "23 novembre 2026 à 01:30", "1er décembre 2026", "<bdi>modifié</bdi>", "<bdi>oui</bdi>", "raison"},
		} {
			o.lang = lang
			page := o.ask("GET", "/desk/people/audit", nil).Body.String()
			want = append(want, `<code dir="ltr">gift-quota</code>`, "<bdi>7</bdi>", "<bdi>–</bdi>", "<bdi>=&lt;b&gt;yes&lt;/b&gt;</bdi>", "<bdi>yes</bdi>") // a reason that somebody typed
			for _, part := range want {
				if !strings.Contains(page, part) {
					t.Errorf("%s: the log lacks %s", lang, part)
				}
			}
			if lang != "en" && regexp.MustCompile(`quiet-line">(role|at|reason|move|warnings|until|by)\b`).MatchString(page) {
				t.Errorf("%s: a label is in English:\n%s", lang, page)
			}
			export := o.ask("GET", "/desk/people/audit/export?as=jsonl", nil).Body.String()
			for _, part := range []string{`"role":"reporter → editor"`, `"in region":" → publisher"`, `"at":"2026-11-22T22:30:00Z"`, `"warnings":"alt, topic"`, `"headline":"changed"`, `"act":"story.publish"`} {
				if !strings.Contains(export, part) {
					t.Errorf("%s: the export lacks %s:\n%s", lang, part, export)
				}
			}
			if csv := o.ask("GET", "/desk/people/audit/export?as=csv", nil).Body.String(); !strings.HasPrefix(csv, "id,at,staff_id,staff,act,object,detail\n") || !strings.Contains(csv, `""role"":""reporter → editor""`) {
				t.Errorf("%s: the CSV is\n%s", lang, csv)
			}
		}
	})
}
