//go:build unix

package daemon

import (
	"fmt"
	"io/fs"
	"syscall"
)

// folderID names a folder on this machine for as long as it exists and its disk stays mounted.
func folderID(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
