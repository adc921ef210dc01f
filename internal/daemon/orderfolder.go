package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gondola/internal/durable"
	"gondola/internal/store"
)

// The names in the ERP's folder that are ours and that no ERP reads.
const (
	orderMark       = ".gondola-orders" // says that the folder is the one that files were put into before
	orderTempPrefix = orderMark + "-"
	orderTempSuffix = durable.TempSuffix
)

// orderFolderFact is where the house remembers which folder it put files into.
const orderFolderFact = "orders folder"

// orderFolder is a folder that files were put into.
type orderFolder struct {
	Dir string `json:"dir"`
	ID  string `json:"id,omitempty"` // of the folder on its disk, where the system has such
}

// readyOrderFolder makes sure that files can be put into the ERP's folder, and that it is the same one as before. Where a share is not
// mounted there is another, empty folder in its place: files would vanish from the ERP's sight, and one that was staged would look as
// if the ERP had it. A mark tells the two apart. Somebody who clears the folder may take the mark with him; then the folder itself,
// by its number on the disk, is known again.
func (h *House) readyOrderFolder(ctx context.Context) error {
	dir := h.orders.dir
	text, err := h.store.Fact(ctx, orderFolderFact)
	if err != nil {
		return err
	}
	var was orderFolder
	if text != "" {
		if err := json.Unmarshal([]byte(text), &was); err != nil {
			return fmt.Errorf("read which folder orders went to: %w", err)
		}
	}
	known := was.Dir == dir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !known:
		if err := durable.MkdirAll(dir); err != nil {
			return fmt.Errorf("make orders.export.dir: %w", err)
		}
		if info, err = os.Stat(dir); err != nil {
			return fmt.Errorf("look at orders.export.dir: %w", err)
		}
	case err != nil:
		return fmt.Errorf("look at orders.export.dir: %w; see that it is there and mounted", err)
	case !info.IsDir():
		return fmt.Errorf("orders.export.dir %s is no folder; choose another one", dir)
	}
	mark, id := filepath.Join(dir, orderMark), folderID(info)
	_, err = os.Lstat(mark)
	switch {
	case err == nil && known:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look at orders.export.dir: %w", err)
	case known && was.ID != id:
		return fmt.Errorf("%s is not the folder that orders were put into before: mount the share, or, if it is the right one, put an empty file named %s into it",
			dir, orderMark)
	}
	if err != nil {
		if err := os.WriteFile(mark, nil, 0o640); err != nil {
			return fmt.Errorf("write to orders.export.dir: %w; see that gondola may", err)
		}
		if err := durable.SyncDir(dir); err != nil {
			return err
		}
	}
	return h.store.SetFact(ctx, orderFolderFact, encode(orderFolder{dir, id}))
}

// orderTemp returns the name of a file until it is handed over.
func orderTemp(id int64) string { return fmt.Sprintf("%s%d%s", orderTempPrefix, id, orderTempSuffix) }

// sweepOrderFolder removes unfinished files that a stopped process left. Those that are staged are not among them.
func (h *House) sweepOrderFolder(staged []store.OrderFile) error {
	entries, err := os.ReadDir(h.orders.dir)
	if err != nil {
		return fmt.Errorf("sweep orders.export.dir: %w", err)
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, orderTempPrefix) || !strings.HasSuffix(name, orderTempSuffix) ||
			slices.ContainsFunc(staged, func(f store.OrderFile) bool { return f.Temp == name }) {
			continue
		}
		errs = append(errs, os.Remove(filepath.Join(h.orders.dir, name)))
	}
	return errors.Join(errs...)
}

// lies reports whether something lies under a name.
func lies(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
