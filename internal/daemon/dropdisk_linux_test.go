package daemon

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDropPageOnAFullDisk drops where there is no room for what is received.
func TestDropPageOnAFullDisk(t *testing.T) {
	// The free space is asked for in steps that are larger than this disk.
	d := newDropSite(t, liveOptions{stateDir: filepath.Join(smallDisk(t), "state"), minFree: -1 << 40})
	big := priceList(300_000, 1) // 12 MB
	code, page := d.upload("", text("grande.csv", big))
	if code != http.StatusInsufficientStorage || !strings.Contains(words(page), "No hay espacio en el disco") {
		t.Errorf("%d\n%s", code, words(page))
	}
	if left, err := filepath.Glob(filepath.Join(d.cfg.State.Dir, incomingDir, "*")); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if code, page = d.upload("", text("precios.csv", liveExport)); code != http.StatusOK {
		t.Errorf("once there is room: %d\n%s", code, words(page))
	}
}

// TestFullDropFolder sends into a folder on a full disk. Nothing is lost: there is room later.
func TestFullDropFolder(t *testing.T) {
	disk := smallDisk(t)
	drops := filepath.Join(disk, "drop")
	ballast := filepath.Join(disk, "ballast")
	d := newDropSite(t, liveOptions{dropDir: drops})
	_, page := d.upload("", text("precios.csv", priceList(10_000, 1)))
	token := d.token(page)
	fill(t, ballast, 20_000_000)
	code, page := d.post("/drop/send", url.Values{"token": {token}, "name": {"precios.csv"}})
	if code != http.StatusInsufficientStorage || !strings.Contains(page, token) {
		t.Errorf("%d\n%s", code, words(page))
	}
	if left, err := filepath.Glob(filepath.Join(drops, "*.csv")); err != nil || len(left) != 0 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(drops, stagedPrefix+"*")); err != nil || len(left) != 0 {
		t.Errorf("half a file is left: %v, %v", left, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if code, page = d.post("/drop/send", url.Values{"token": {token}}); code != http.StatusOK {
		t.Errorf("%d\n%s", code, words(page))
	}
	d.await("the answer", func() bool { return d.receipt("precios.csv") != "" })
}
