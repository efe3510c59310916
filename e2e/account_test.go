package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"masthead/internal/language"
)

// TestAccount changes everything that a reader may change, from two browsers,
// and then deletes the account.
func TestAccount(t *testing.T) {
	const email = "account@reader.example"
	f := language.Get("en")
	here := newTab(t, demo)
	here.register(email)

	here.open("/account")
	here.do(chromedp.SetValue(chromedp.CSS("#name"), "Ibn Battuta"), chromedp.SetValue(chromedp.CSS("#language"), "ar"))
	here.click(`form[action$="/account/profile"] button`)
	if got := here.text(".notice"); got != f.T("notice.saved") {
		t.Errorf("after the name was saved the page says %q", got)
	}
	list := eval[string](here, `document.querySelector("[name=newsletter]:not(:checked)").id`)
	here.do(chromedp.Click(chromedp.CSS("label[for=" + list + "]")))
	here.click(`form[action$="/account/newsletters"] button`)
	here.open("/account")
	name := eval[string](here, `document.querySelector("#name").value`)
	lang := eval[string](here, `document.querySelector("#language").value`)
	chosen := eval[bool](here, `document.querySelector("#`+list+`").checked`)
	if name != "Ibn Battuta" || lang != "ar" || !chosen {
		t.Errorf("the account keeps name %q, language %q, newsletter %v", name, lang, chosen)
	}

	status, header, body := demo.get(t, "/account/export", here.cookies())
	var export map[string]any
	if err := json.Unmarshal([]byte(body), &export); err != nil || status != http.StatusOK {
		t.Fatalf("the export answers %d: %v", status, err)
	}
	if !strings.Contains(header.Get("Content-Disposition"), "attachment") || header.Get("Cache-Control") != "no-store" {
		t.Errorf("the export is sent with %v", header)
	}
	for _, want := range []string{email, "Ibn Battuta", strings.TrimPrefix(list, "nl-")} {
		if !strings.Contains(body, want) {
			t.Errorf("the export lacks %s:\n%s", want, body)
		}
	}
	if status, _, _ := demo.get(t, "/account/export", ""); status == http.StatusOK {
		t.Error("an export for nobody")
	}

	there := newTab(t, demo)
	there.open("/signin")
	there.fill("#email", email)
	there.click(".form button[type=submit]")
	text, _, code := there.letter(email)
	if !strings.Contains(text, language.Get("en").T("letter.signin_sentence", "The Sounding")) {
		t.Errorf("a known reader's letter says:\n%s", text)
	}
	there.fill("#code", code)
	there.click(".form button[type=submit]")

	here.open("/account")
	if n := eval[int](here, `document.querySelectorAll("#sessions ~ div .rows li").length`); n != 2 {
		t.Fatalf("%d sessions are listed, not 2", n)
	}
	eval[any](here, `[...document.querySelectorAll("#sessions ~ div .rows li")].find(l => !l.querySelector("b")).querySelector("button").id = "the-other"; null`)
	here.click("#the-other")
	if got := here.text(".notice"); got != f.T("notice.session_ended") {
		t.Errorf("after the other browser was signed out the page says %q", got)
	}
	if there.open("/account"); !strings.HasPrefix(there.path(), "/signin") {
		t.Errorf("the other browser is still at %s", there.path())
	}
	if here.open("/account"); here.path() != "/account" {
		t.Errorf("this browser was signed out too, and is at %s", here.path())
	}

	here.do(chromedp.Click(chromedp.CSS("#confirm")))
	here.click("button.danger")
	if got := here.text(".notice"); got != f.T("notice.deleted") {
		t.Errorf("after deletion %s says %q", here.path(), got)
	}
	if here.open("/account"); !strings.HasPrefix(here.path(), "/signin") {
		t.Errorf("a deleted account is still at %s", here.path())
	}
	here.fill("#email", email)
	here.click(".form button[type=submit]")
	if got, want := strings.Split(here.path(), "?")[0], "/signin/code"; got != want {
		t.Errorf("whether an address is known can be seen: %s", got)
	}
	if text, _, _ := here.letter(email); !strings.Contains(text, f.T("letter.register_sentence", "The Sounding")) {
		t.Errorf("sign-in still knows who was deleted:\n%s", text)
	}
}

// TestGift gives a story to somebody who may not read it, and takes it back.
func TestGift(t *testing.T) {
	path := demo.story(t, "en", "water-ledger-2026")
	full := bodyOf(t, path, thePeople(t).reader)
	last := full[len(full)-1]

	giver := newTab(t, demo)
	giver.register("giver@reader.example")
	giver.open(path)
	giver.click(".gift button")
	link := eval[string](giver, `document.querySelector("#gift-link").value`)
	if !strings.HasPrefix(link, demo.URL+path+"?gift=") {
		t.Fatalf("the gift link is %q", link)
	}

	friend := newTab(t, demo)
	if friend.open(path); !friend.has("#wall") || strings.Contains(fold(friend.html()), last) {
		t.Fatal("the story is open to everybody, and no gift")
	}
	if friend.open(link); friend.has("#wall") || !friend.has(".gift-notice") || !strings.Contains(fold(friend.html()), last) {
		t.Errorf("the gift does not open the story")
	}
	if other := demo.story(t, "en", "vell-interview"); friend.open(other+link[strings.Index(link, "?"):]) != http.StatusOK || !friend.has("#wall") {
		t.Error("the gift opens another story")
	}

	giver.open("/account")
	if got, want := giver.text("#gifts ~ div .row-about"), language.Get("en").N("account.gift_opened", 1); !strings.Contains(got, want) {
		t.Errorf("the giver reads %q, not %q", got, want)
	}
	giver.click("#gifts ~ div .rows button")
	if got := giver.text(".notice"); got != language.Get("en").T("notice.gift_revoked") {
		t.Errorf("after the gift was revoked the page says %q", got)
	}
	if friend.open(link); !friend.has("#wall") || strings.Contains(fold(friend.html()), last) {
		t.Error("a revoked gift opens the story")
	}
}
