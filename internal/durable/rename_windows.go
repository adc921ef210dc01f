package durable

import "golang.org/x/sys/windows"

// renameAway renames a file to a name that nothing has: without the flag to replace, the system refuses where there is one.
func renameAway(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(old, name, windows.MOVEFILE_WRITE_THROUGH)
}
