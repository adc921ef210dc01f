package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// The requests of SFTP version 3 that an upload takes, and the answers.
const (
	sshInit, sshVersion          = 1, 2
	sshOpen, sshClose, sshWrite  = 3, 4, 6
	sshRename                    = 18
	sshStatus, sshHandle         = 101, 102
	openWrite, openCreate, trunc = 2, 8, 16
)

// uploadRaw brings documents in as few round trips as the protocol allows and with nothing checked but the answers: all files are opened
// at once; with each handle go the bytes, the close and the rename, for a server works in the order in which it is asked.
func uploadRaw(args []string, _ *measure) error {
	keys, login, addr, dir := args[0], args[1], args[2], args[3]
	pem, err := os.ReadFile(filepath.Join(keys, "client"))
	if err != nil {
		return err
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return err
	}
	pin, err := fingerprint(filepath.Join(keys, "host.pub"))
	if err != nil {
		return err
	}
	client, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{
		User: login, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if ssh.FingerprintSHA256(key) != pin {
				return errors.New("another host key")
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	in, err := session.StdinPipe()
	out, err2 := session.StdoutPipe()
	if err := errors.Join(err, err2, session.RequestSubsystem("sftp")); err != nil {
		return err
	}
	r := &raw{w: bufio.NewWriterSize(in, 256<<10), r: bufio.NewReaderSize(out, 256<<10)}
	if err := r.bring(dir); err != nil {
		return err
	}
	return client.Close()
}

// raw is a connection on which packets are written by hand.
type raw struct {
	r  *bufio.Reader
	mu sync.Mutex // guards w
	w  *bufio.Writer
}

// bring uploads all files of a folder.
func (r *raw) bring(dir string) error {
	all, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	r.send(sshInit, binary.BigEndian.AppendUint32(nil, 3))
	if err := r.w.Flush(); err != nil {
		return err
	}
	if kind, _, err := r.receive(); err != nil || kind != sshVersion {
		return fmt.Errorf("no SFTP server: %w", err)
	}
	opened := make(chan error, 1)
	go func() {
		for i, e := range all {
			p := text(id(3*i), "catalog/."+e.Name())
			p = binary.BigEndian.AppendUint32(p, openWrite|openCreate|trunc)
			r.send(sshOpen, binary.BigEndian.AppendUint32(p, 0)) // no attributes
		}
		opened <- r.flush()
	}()
	for left := 3 * len(all); left > 0; left-- { // handle, close, rename
		kind, p, err := r.receive()
		if err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint32(p))
		switch {
		case kind == sshHandle:
			if err := r.fill(dir, all[n/3].Name(), n, string(p[8:])); err != nil {
				return err
			}
		case kind != sshStatus || binary.BigEndian.Uint32(p[4:]) != 0:
			return fmt.Errorf("answer %d to request %d: %q", kind, n, p)
		case n%3 == 0: // a write, which is counted by nobody
			left++
		}
	}
	return <-opened
}

// fill asks for all that is left to do with an open file.
func (r *raw) fill(dir, name string, n int, handle string) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	piece := make([]byte, 32<<10)
	for at := uint64(0); ; {
		got, err := f.Read(piece)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		p := binary.BigEndian.AppendUint64(text(id(n), handle), at)
		r.send(sshWrite, append(binary.BigEndian.AppendUint32(p, uint32(got)), piece[:got]...))
		at += uint64(got)
	}
	r.send(sshClose, text(id(n+1), handle))
	r.send(sshRename, text(text(id(n+2), "catalog/."+name), "catalog/"+name))
	return r.flush()
}

func id(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func text(p []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(p, uint32(len(s))), s...)
}

// send writes a packet. What goes wrong is told by flush.
func (r *raw) send(kind byte, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload)+1))
	_, _ = r.w.Write(append(head, kind)) // flush tells
	_, _ = r.w.Write(payload)            // likewise
}

func (r *raw) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.w.Flush()
}

func (r *raw) receive() (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, binary.BigEndian.Uint32(head[:])-1)
	_, err = io.ReadFull(r.r, payload)
	return head[4], payload, err
}

// fingerprint returns the SHA256:… fingerprint of a public key.
func fingerprint(path string) (string, error) {
	line, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	fields := strings.Fields(string(line))
	if len(fields) < 2 {
		return "", fmt.Errorf("%s has no key", path)
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]), nil
}
