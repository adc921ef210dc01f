package daemon

import "golang.org/x/sys/unix"

// networkDisk names the network file system that a folder is on, "" where it is on none that is known.
func networkDisk(dir string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return ""
	}
	return map[uint32]string{
		unix.NFS_SUPER_MAGIC: "nfs", unix.SMB_SUPER_MAGIC: "smb", unix.SMB2_SUPER_MAGIC: "smb2", unix.CIFS_SUPER_MAGIC: "cifs",
		unix.CODA_SUPER_MAGIC: "coda", unix.AFS_SUPER_MAGIC: "afs", unix.CEPH_SUPER_MAGIC: "ceph", unix.V9FS_MAGIC: "9p",
	}[uint32(s.Type)] //nolint:gosec // magic numbers have 32 bits
}
