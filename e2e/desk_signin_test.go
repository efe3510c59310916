package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"masthead/internal/language"
	"masthead/internal/staff"
)

var deskPictures = flag.String("desk-pictures", "", "take pictures of the desk's door and of people into this `folder`")

// serveStrictly makes a newsroom and serves it as in earnest, not for
// development: at a name, since no browser keeps passkeys for a number.
func serveStrictly(t *testing.T) (n *newsroom, folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "room")
	command(t, "init", "--dir", folder)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	n = &newsroom{URL: fmt.Sprintf("http://localhost:%d", port), log: &bytes.Buffer{}, paths: map[string]string{}}
	n.cmd = exec.Command(program, "serve", "--dir", folder, "--addr", fmt.Sprintf("127.0.0.1:%d", port), "--url", n.URL, "--ops-addr", "", "--log-level", "warn", "--title", "The Quay")
	n.cmd.Stderr = n.log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.stop)
	for range 600 {
		if r, err := http.Get(n.URL + "/robots.txt"); err == nil {
			r.Body.Close()
			return n, folder
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("masthead serve does not answer\n%s", n.log)
	return nil, ""
}

// waitFor waits until the tab is at a path of the desk.
func (b *tab) waitFor(path string) {
	b.t.Helper()
	for range 200 {
		if at, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? location.pathname + location.search : ""`)); err == nil && at == path {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("the tab is at %s, not at %s:\n%s", b.path(), path, b.text("main"))
}

// press clicks what a script answers.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

// TestDeskSignin goes an owner's way with a real browser and an authenticator
// that it plays: a link, a passkey that is forced, sign-in with it alone, as the
// second factor of a link, and an app beside it.
func TestDeskSignin(t *testing.T) {
	n, folder := serveStrictly(t)
	t.Setenv("MASTHEAD_URL", n.URL)
	words := language.Get("en")
	link := func(args ...string) string {
		t.Helper()
		out := command(t, append(args, "--dir", folder)...)
		return strings.TrimSpace(out)
	}
	b := newTab(t, n)
	call(b, webauthn.Enable, webauthn.EnableParams{})
	key := call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		DefaultBackupEligibility: true, DefaultBackupState: true}}).AuthenticatorID
	axe := readTool(t, "axe-core/axe.min.js")
	picture := func(name string) { b.examine(name, axe) }

	b.open("/desk/")
	if !b.has(`form[data-passkey=get]:not([hidden])`) || b.has(".bar-rooms") {
		t.Error("the door has no passkeys, or shows the rooms")
	}
	picture("door")
	b.open(link("staff", "add", "ada@quay.example", "--role", "owner", "--name", "Ada Quay"))
	b.click("main button")
	if b.path() != "/desk/enrol" {
		t.Fatalf("after the link the tab is at %s", b.path())
	}
	picture("enrol")
	b.open("/desk/people")
	if !strings.HasPrefix(b.path(), "/desk/enrol") {
		t.Fatalf("without a second factor the tab is at %s", b.path())
	}
	b.fill("#key-name", "Laptop")
	b.press("form[data-passkey=create] button")
	b.waitFor("/desk/me?done=key_made")
	if text := b.text("main"); !strings.Contains(text, "Laptop") || !strings.Contains(text, words.T("desk.codes.none")) {
		t.Errorf("one's own page says %s", text)
	}
	picture("me")
	if kept := call(b, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: key}).Credentials; len(kept) != 1 || !kept[0].IsResidentCredential || kept[0].RpID != "localhost" {
		t.Errorf("the authenticator keeps %+v", kept)
	}
	b.click(`form[action="/desk/me/recovery"] button`)
	if codes := eval[int](b, `document.querySelectorAll(".codes code").length`); codes != 10 {
		t.Errorf("%d recovery codes", codes)
	}
	picture("codes")

	// By the passkey alone.
	signOut := func() { b.open("/desk/me"); b.click(".bar form button") }
	signOut()
	b.press("form[data-passkey=get] button")
	b.waitFor("/desk/")
	if b.open("/desk/people/tokens") != 200 {
		t.Errorf("the keys of the API after a passkey: at %s", b.path())
	}
	picture("tokens")

	// After a link, the passkey is asked for, and one that nobody confirms is refused.
	signOut()
	b.open(link("staff", "link", "ada@quay.example"))
	b.click("main button")
	if b.path() != "/desk/second" {
		t.Fatalf("after the second link the tab is at %s", b.path())
	}
	picture("second")
	call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: key, IsUserVerified: false})
	b.press("form[data-passkey=get] button")
	b.do(chromedp.WaitVisible(chromedp.CSS("form[data-passkey=get] .problem")))
	if b.open("/desk/people"); !strings.HasPrefix(b.path(), "/desk/second") {
		t.Fatalf("without its owner the key opened %s", b.path())
	}
	call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: key, IsUserVerified: true})
	b.press("form[data-passkey=get] button")
	b.waitFor("/desk/people")
	picture("people")

	// An app beside it, without scripts.
	b.open("/desk/me")
	b.click(`form[action="/desk/me/totp"] button`)
	secret := b.text("code.secret")
	picture("totp")
	b.withoutScripts()
	b.fill("#code", staff.CodeAt(secret, time.Now()))
	b.click(`form[action="/desk/me/totp/code"] button`)
	if got := b.text(".notice"); got != words.T("desk.done.app_added") {
		t.Errorf("after the app was added the page says %q", got)
	}
	signOut()
	b.open(link("staff", "link", "ada@quay.example"))
	b.click("main button")
	b.fill("#code", staff.CodeAt(secret, time.Now().Add(30*time.Second))) // the one before was used
	b.click(`form[action="/desk/second"] button`)
	if b.path() != "/desk/" {
		t.Fatalf("after the code the tab is at %s: %s", b.path(), b.text("main"))
	}

	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})

	// The rest of the room, and a letter asked for at the door.
	b.open("/desk/people")
	b.fill("#email", "noor@quay.example")
	b.fill("#name", "نور الحسن")
	b.click(`form[action="/desk/people"] button`)
	if !strings.HasSuffix(b.path(), "?done=person_added") {
		t.Errorf("after somebody was added the tab is at %s: %s", b.path(), b.text("main"))
	}
	picture("person")
	b.open("/desk/people/audit")
	if text := b.text("main"); !strings.Contains(text, "noor@quay.example") {
		t.Errorf("the log says %s", text)
	}
	picture("audit")
	signOut()
	b.fill("#email", "noor@quay.example")
	b.click(`form[action="/desk/signin/letter"] button`)
	if got := b.text(".notice"); got != words.T("desk.done.link_sent") {
		t.Errorf("at the door: %q", got)
	}
	letter := ""
	for range 200 {
		files, _ := filepath.Glob(filepath.Join(folder, "outbox", "*"))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err == nil && bytes.Contains(text, []byte("noor@quay.example")) {
				text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("=\r\n"), nil), []byte("=3D"), []byte("="))
				if m := regexp.MustCompile(`/desk/signin\?token=[A-Za-z0-9_-]{43}`).Find(text); m != nil {
					letter = string(m)
				}
			}
		}
		if letter != "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if letter == "" {
		t.Fatal("no letter with a link came")
	}
	log := command(t, "staff", "audit", "--json", "--dir", folder)
	for _, want := range []string{`"by":"passkey"`, `"by":"totp"`, `"by":"link"`, `"passkey added":"Laptop"`, `"staff":"program"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

// examine holds the page as it stands to axe-core and its window's width, in
// three languages, light and dark, and takes pictures where they are asked for.
func (b *tab) examine(name, axe string) {
	b.t.Helper()
	at := eval[string](b, "location.href")
	for _, p := range []struct {
		lang, scheme string
		width        int64
	}{{"en", "light", 1280}, {"en", "dark", 390}, {"ar", "light", 390}, {"he", "dark", 1280}} {
		once := name == "codes" || name == "totp" // which are not shown twice
		if once && p.lang != "en" {
			continue
		}
		b.size(p.width, 900)
		b.scheme(p.scheme)
		if !once {
			b.prefers(p.lang)
			b.open(at)
		}
		where := fmt.Sprintf("%s in %s at %d px, %s", name, p.lang, p.width, p.scheme)
		if wide := eval[string](b, overflow); wide != "" {
			b.t.Errorf("%s scrolls sideways: %s", where, wide)
		}
		eval[any](b, axe+"; null")
		checkAxe(b.t.(*testing.T), b, where)
		if *deskPictures == "" {
			continue
		}
		b.size(p.width, 1500)
		shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(*deskPictures, name+"-"+p.lang+"-"+p.scheme+".png"), shot, 0o644)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	b.size(1280, 900)
	b.scheme("light")
	b.prefers("en")
	if name != "codes" && name != "totp" {
		b.open(at)
	}
}
