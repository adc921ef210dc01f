package durable

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// CopyFile makes dst a durable copy of src, readable by owner and group, and returns its size and SHA-256 in hex. The copy is read
// back before it gets its name and compared with what was read from src, so that a disk or a network share that loses bytes in
// silence is noticed while src still exists.
func CopyFile(dst, src string) (size int64, sha256hex string, err error) {
	in, err := os.Open(src)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = in.Close() }() // only read: nothing to lose
	out, err := Create(dst, 0o640)
	if err != nil {
		return 0, "", err
	}
	defer out.Abort()

	sum := sha256.New()
	size, err = io.Copy(out, io.TeeReader(in, sum))
	if err != nil {
		return 0, "", fmt.Errorf("copy %s: %w", src, err)
	}
	want := hex.EncodeToString(sum.Sum(nil))
	if err := out.sync(); err != nil {
		return 0, "", fmt.Errorf("copy %s: %w", src, err)
	}
	got, err := Digest(out.f.Name())
	if err != nil {
		return 0, "", fmt.Errorf("read copy of %s back: %w", src, cause(err))
	}
	if got != want {
		return 0, "", fmt.Errorf("copy of %s differs from what was written: check the disk that holds %s", src, dst)
	}
	return size, want, out.Commit()
}

// Digest returns the SHA-256 of a file's bytes, in hex.
func Digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read: nothing to lose
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
