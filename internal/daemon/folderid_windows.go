package daemon

import "io/fs"

// folderID returns "": a share on Windows that is not there is an error, not another folder.
func folderID(fs.FileInfo) string { return "" }
