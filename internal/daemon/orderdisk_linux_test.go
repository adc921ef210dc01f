package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestOrdersOnABadDisk loses nothing while the ERP's folder is full or can't be written, and leaves nothing half there.
func TestOrdersOnABadDisk(t *testing.T) {
	disk := smallDisk(t)
	r := newOrders(t, `name: "{order}"`)
	r.dir = filepath.Join(disk, "erp")
	r.cfg.Orders.Export.Dir = r.dir
	r.again()
	r.told("first", "1", "READY_FOR_PICKUP", "1")
	r.must()

	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast, 20_000_000)
	r.told("a", "1", "READY_FOR_PICKUP", "1")
	if err := r.handOver(); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("full: %v", err)
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil || len(entries) != 2 { // the first one and the mark
		t.Errorf("in the folder: %v, %v", entries, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	r.must()

	r.told("b", "1", "READY_FOR_PICKUP", "1")
	f := r.stage()
	remount := func(flags uintptr) {
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatalf("remount: %v", err)
		}
	}
	remount(syscall.MS_RDONLY)
	r.told("c", "1", "READY_FOR_PICKUP", "1")
	if err := r.handOver(); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("read-only: %v", err)
	}
	remount(0)
	r.must()
	if names := strings.Join(r.names(), " "); names != "a.csv b.csv c.csv first.csv" || f.Name != "b.csv" {
		t.Errorf("files %s", names)
	}
}
