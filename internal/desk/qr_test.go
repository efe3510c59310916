package desk

import (
	"html"
	"image/color"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
)

var qrRun = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// modules reads a drawn code back, and fails where the path holds anything but
// runs inside the margin.
func modules(t *testing.T, q QR) [][]bool {
	t.Helper()
	inner := q.Size - 2*qrMargin
	grid := make([][]bool, inner)
	for y := range grid {
		grid[y] = make([]bool, inner)
	}
	if rest := qrRun.ReplaceAllString(q.Path, ""); rest != "" {
		t.Fatalf("the path holds %q", rest)
	}
	for _, m := range qrRun.FindAllStringSubmatch(q.Path, -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		if n[2] != n[3] {
			t.Errorf("a run goes %d and comes back %d", n[2], n[3])
		}
		for i := range n[2] {
			grid[n[1]-qrMargin][n[0]-qrMargin+i] = true
		}
	}
	return grid
}

// bitmap is the library's own drawing.
func bitmap(t *testing.T, text string) [][]bool {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	b := code.Bounds()
	grid := make([][]bool, b.Dy())
	for y := range grid {
		grid[y] = make([]bool, b.Dx())
		for x := range grid[y] {
			grid[y][x] = color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y < 128
		}
	}
	return grid
}

func TestQR(t *testing.T) {
	for _, text := range []string{"x", "otpauth://totp/The%20Quay:ada@quay.example?secret=ABCD", strings.Repeat("The Quay ", 80)} {
		q := newQR(text)
		if diff := cmp.Diff(bitmap(t, text), modules(t, q)); diff != "" {
			t.Errorf("%.20q is drawn otherwise:\n%s", text, diff)
		}
	}
	for _, n := range []int{1200, 5000} { // too dense for a camera, too long for any code
		if q := newQR(strings.Repeat("y", n)); q != (QR{}) {
			t.Errorf("%d letters are drawn %d wide", n, q.Size)
		}
	}
}

var drawn = regexp.MustCompile(`<svg class="qr" viewBox="0 0 (\d+) (\d+)" role="img" aria-label="[^"]+" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/><path fill="#000" d="([^"]+)"/></svg>`)

// TestSecretAsCode proves that the code on the page is that of the secret
// beside it, and that a newsroom's name too long for one leaves the secret.
func TestSecretAsCode(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		o.ask("POST", "/desk/me/totp", url.Values{})
		show := func() (page, address, secret string) {
			page = html.UnescapeString(o.ask("GET", "/desk/me/totp", nil).Body.String())
			address = regexp.MustCompile(`href="(otpauth://[^"]+)"`).FindStringSubmatch(page)[1]
			return page, address, strings.ReplaceAll(secretForm.FindStringSubmatch(page)[1], " ", "")
		}
		page, address, secret := show()
		m := drawn.FindStringSubmatch(page)
		if m == nil || m[1] != m[2] {
			t.Fatalf("no code on\n%s", page)
		}
		size, _ := strconv.Atoi(m[1])
		if diff := cmp.Diff(bitmap(t, address), modules(t, QR{size, m[3]})); diff != "" {
			t.Errorf("the code is not that of %s:\n%s", address, diff)
		}
		if u, err := url.Parse(address); err != nil || len(secret) != 32 || u.Query().Get("secret") != secret {
			t.Errorf("the code holds %s, the page %s", address, secret)
		}
		o.Config.Title = strings.Repeat("الرصيف ", 40)
		if page, address, secret := show(); drawn.MatchString(page) || !strings.Contains(address, secret) || !strings.Contains(page, "Type this secret") {
			t.Errorf("with a long name:\n%s", page)
		}
	})
}
