package fault_test

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"masthead/internal/fault"
)

func TestKindSurvivesWrapping(t *testing.T) {
	err := fmt.Errorf("story.BySlug(%q): %w", "x", fault.New(fault.NotFound, "no such story", "slug", "x").WithHint("look it up with %s", "masthead story list"))
	if got := fault.KindOf(err); got != fault.NotFound || got.Status() != 404 {
		t.Errorf("KindOf = %v (%d), want not found (404)", got, got.Status())
	}
	if got, want := fault.Message(err), "no such story"; got != want {
		t.Errorf("Message = %q, want %q", got, want)
	}
	if got, want := fault.Hint(err), "look it up with masthead story list"; got != want {
		t.Errorf("Hint = %q, want %q", got, want)
	}
	if got, want := errors.Unwrap(err).Error(), `no such story slug="x"`; got != want {
		t.Errorf("Error = %q, want %q", got, want)
	}
}

func TestInternalIsNotShown(t *testing.T) {
	err := errors.New("dial tcp 10.0.0.1: refused")
	if fault.KindOf(err) != fault.Internal || fault.Message(err) != "something went wrong" || fault.Is(nil, fault.Internal) {
		t.Errorf("an unexpected error is shown: %v %q", fault.KindOf(err), fault.Message(err))
	}
}

func TestNoRoom(t *testing.T) {
	full := fmt.Errorf("blob: put: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if err := fault.NoRoom(full); fault.KindOf(err) != fault.Full || fault.Full.Status() != 507 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("NoRoom(%v) = %v", full, err)
	}
	other := errors.New("refused")
	if err := fault.NoRoom(other); err != other {
		t.Errorf("NoRoom(%v) = %v", other, err)
	}
}
