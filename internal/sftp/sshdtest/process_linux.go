package sshdtest

import (
	"os/exec"
	"syscall"
)

// confine makes a process, and its children, see root as the root directory and form a process group of their own.
func confine(cmd *exec.Cmd, root string) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Setpgid: true}
}

// end kills a process group that confine made. One that has ended already is as good.
func end(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }
