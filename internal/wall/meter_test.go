package wall

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	keyA = []byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	keyB = []byte("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
)

func TestMeterCookie(t *testing.T) {
	m := (*Meter)(nil).With("a", noon.Add(-time.Hour)).With("b", noon)
	value := MeterKeys{keyA}.Write(m)
	got, ok := MeterKeys{keyA}.Read(value)
	if n, this := got.count("a", noon.Add(-days(1))); !ok || n != 2 || !this {
		t.Errorf("read back: %v, %d stories, a among them: %v", ok, n, this)
	}
	if n, this := got.count("a", noon.Add(-time.Minute)); n != 1 || this {
		t.Errorf("in the last minute: %d, %v", n, this)
	}
	// Rotation: the new key signs, the old one still verifies, until it is dropped.
	if _, ok := (MeterKeys{keyB, keyA}).Read(value); !ok {
		t.Error("the old key does not verify")
	}
	if again := (MeterKeys{keyB, keyA}).Write(got); again == value {
		t.Error("the old key signs")
	} else if _, ok := (MeterKeys{keyB}).Read(again); !ok {
		t.Error("the new key does not sign")
	}
	if m, ok := (MeterKeys{keyB}).Read(value); ok || m == nil || m.Len() != 0 {
		t.Error("a dropped key verifies")
	}
	// An empty meter and none at all are written alike.
	if MeterKeys.Write(MeterKeys{keyA}, nil) != (MeterKeys{keyA}).Write(&Meter{}) {
		t.Error("nil and empty differ")
	}
}

// Whatever is done to a cookie, it gives no more than no cookie at all does.
func TestMeterTampering(t *testing.T) {
	keys := MeterKeys{keyA}
	value := keys.Write(spent(3, noon))
	w := newWall(t, "true → meter 3 per 30 days")
	none := w.Decide(Visit{Now: noon}, Item{StoryID: "s"})
	for i := range len(value) {
		for _, c := range []byte("Ab0_-=.\x00") {
			if value[i] == c {
				continue
			}
			forged := value[:i] + string(c) + value[i+1:]
			m, ok := keys.Read(forged)
			if ok || m.Len() != 0 {
				t.Fatalf("%q at %d passes", c, i)
			}
			if d := w.Decide(Visit{Now: noon, Meter: m}, Item{StoryID: "s"}); d != none {
				t.Fatalf("%q at %d gives %+v", c, i, d)
			}
		}
	}
	for _, forged := range []string{"", value[:len(value)-1], value + "A", value + "=", value[4:], strings.Repeat("A", 5000), "!"} {
		if m, ok := keys.Read(forged); ok || m.Len() != 0 {
			t.Errorf("%.20q passes", forged)
		}
	}
	// A signature made for another purpose with the same key does not pass either: see sign.
	if _, ok := (MeterKeys{}).Read(value); ok {
		t.Error("no key at all verifies")
	}
}

func TestMeterBounds(t *testing.T) {
	var m *Meter
	for i := range 3 * MeterMax {
		m = m.With(fmt.Sprint("story ", i), noon.Add(time.Duration(i)*time.Minute))
	}
	m.trial, m.drawn = 7, ArmB // two bytes more
	value := MeterKeys{keyA}.Write(m)
	if m.Len() != MeterMax || len(value) != MeterBytes || MeterBytes >= 2048 {
		t.Errorf("%d stories in %d bytes of %d", m.Len(), len(value), MeterBytes)
	}
	if got, ok := (MeterKeys{keyA}).Read(value); !ok || got.Len() != MeterMax || got.arm(7) != ArmB || got.arm(8) != NoArm {
		t.Error("the largest cookie is not read")
	}
	// The newest stay, so the widest meter is still spent.
	if n, this := m.count(fmt.Sprint("story ", 3*MeterMax-1), noon.Add(-days(366))); n != MeterMax || !this {
		t.Errorf("%d, %v", n, this)
	}
	// What no window can reach any more falls out.
	if m = m.With("new", noon.Add(days(MaxDays+1))); m.Len() != 1 {
		t.Errorf("%d old stories are kept", m.Len()-1)
	}
	// A story counted again is there once, and the meter it came from is unchanged.
	old := (*Meter)(nil).With("a", noon)
	if again := old.With("a", noon.Add(time.Hour)); again.Len() != 1 || old.entries[0].at != uint32(noon.Unix()) {
		t.Error("counted twice")
	}
}

func FuzzMeterCookie(f *testing.F) {
	keys := MeterKeys{keyB, keyA}
	f.Add(keys.Write(nil))
	f.Add(keys.Write(spent(5, noon)))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, value string) {
		m, ok := keys.Read(value)
		if m == nil || !ok && m.Len() != 0 {
			t.Fatal("an unreadable cookie gives something")
		}
		if ok && keys.Write(m) != value && (MeterKeys{keyA}).Write(m) != value {
			t.Fatal("a cookie passes that Write never made")
		}
		if next := m.With("s", noon); len(keys.Write(next)) > MeterBytes {
			t.Fatal("it grows")
		}
	})
}
