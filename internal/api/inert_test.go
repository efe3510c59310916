package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"masthead/internal/db/dbtest"
)

// TestInert sends a script through every text of a story that the API takes; what
// it gives back as HTML has none, and the page of the API has none either.
func TestInert(t *testing.T) {
	r := newRoom(t, dbtest.SQLite(t))
	evil := `"><script>alert(1)</script><img src=x alt=y onerror=alert(1)>`
	for form, body := range map[string]string{
		"html":     `<p onclick="alert(1)">` + evil + `<a href="javascript:alert(1)">x</a><iframe src="javascript:alert(1)"></iframe><svg onload="alert(1)"></svg></p>`,
		"markdown": evil + "\n\n[x](javascript:alert(1)) ![y](data:text/html,x)",
		"text":     evil,
	} {
		quoted, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		field, _ := json.Marshal(evil)
		var st StoryRecord
		want(t, form, r.send("POST", "/stories", r.all, fmt.Sprintf(`{"section":"river","access":"open","edition":{"lang":"en","headline":%[1]s,"kicker":%[1]s,"summary":%[1]s,
			"lead_caption":%[1]s,"lead_alt":%[1]s,"meta_title":%[1]s,"meta_description":%[1]s,"slug":%[1]s,"body":{"%[2]s":%[3]s}}}`, field, form, quoted)), 201, &st)
		id := st.Editions[0].ID
		want(t, "approve", r.send("POST", "/editions/"+id+"/approve", r.all, `{}`), 200, nil)
		want(t, "publish", r.send("POST", "/editions/"+id+"/publish", r.all, `{"reason":"a test"}`), 200, nil)
		var whole Edition
		want(t, "read", r.send("GET", "/stories/"+id, "", ""), 200, &whole)
		var record EditionRecord
		want(t, "record", r.send("GET", "/editions/"+id+"?format=html", r.all, ""), 200, &record)
		for _, text := range []string{whole.Body.HTML, record.Body.HTML} {
			root, err := html.Parse(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			for n := range root.Descendants() {
				if n.Type != html.ElementNode {
					continue
				}
				if n.Data == "script" || n.Data == "iframe" || n.Data == "svg" {
					t.Errorf("%s: <%s> in %s", form, n.Data, text)
				}
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:") {
						t.Errorf("%s: %s=%q in %s", form, a.Key, a.Val, text)
					}
				}
			}
		}
		if strings.ContainsAny(whole.URL, `"<>`) {
			t.Errorf("address %s", whole.URL)
		}
	}
}
