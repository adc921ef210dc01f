package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/sftp"
	"gondola/internal/store"
)

const (
	smallFile = 8 << 10
	latency   = "40ms" // each way
)

// holdUploads compares ways to bring documents to an OpenSSH server, over the loopback interface and over a long line.
func (b *bench) holdUploads(ctx context.Context) (all []outcome, err error) {
	if !b.peers.have([]string{"sshd", "ssh"}) {
		return nil, errors.New("OpenSSH's server and client are needed")
	}
	s, err := b.startSSHD(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	far, err := b.serveWorker(ctx, "delay", s.addr, latency)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, far.stop()) }()
	large, err := b.documents(ctx, 1, b.size.upload)
	if err != nil {
		return nil, err
	}
	small, err := b.documents(ctx, b.size.files, smallFile)
	if err != nil {
		return nil, err
	}
	for _, l := range []line{{"near", "on loopback", s.addr}, {"far", latency + " each way", far.addr}} {
		all = append(all, b.run(ctx, b.largeUpload(s, l, large)), b.run(ctx, b.smallUploads(s, l, small)))
	}
	return all, nil
}

// line is a way to the server.
type line struct{ name, title, addr string }

// documents returns a folder with documents of a size.
func (b *bench) documents(ctx context.Context, n int, size int64) (string, error) {
	return b.input(ctx, fmt.Sprintf("documents-%d-%d", n, size), "documents", strconv.Itoa(n), strconv.FormatInt(size, 10))
}

// makeDocuments makes a folder with documents of a size.
func makeDocuments(dir string, n int, size int64) error {
	r := rand.NewChaCha8([32]byte{seed & 0xff})
	for i := range n {
		err := writeFile(filepath.Join(dir, fmt.Sprintf("gondola_%05d.csv", i)), func(w *bufio.Writer) error {
			_, err := io.CopyN(w, r, size)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// after empties the server before each round.
func (s *sshd) after(do func(context.Context) (measure, error)) func(context.Context) (measure, error) {
	return func(ctx context.Context) (measure, error) {
		if err := s.empty(); err != nil {
			return measure{}, err
		}
		return do(ctx)
	}
}

func (b *bench) largeUpload(s *sshd, l line, dir string) contest {
	file := filepath.Join(dir, "gondola_00000.csv")
	home := filepath.Join(s.dir, "home", "catalog")
	batch := b.batch("put-large.txt", dir, 1)
	return contest{
		name: "upload-large-" + l.name, title: fmt.Sprintf("one document of %d MB %s", b.size.upload/1e6, l.title),
		contenders: []contender{
			{name: "gondola", role: ours, do: s.after(b.worker("upload", s.dir, s.user, l.addr, dir, b.path("work"), "0"))},
			{name: "limit: cat | ssh", role: limit, do: s.after(b.shell(`cat "$1" | `+s.ssh(l.addr)+` 127.0.0.1 "cat >$2"`, file, filepath.Join(home, "large")))},
			{name: "OpenSSH sftp", role: peer, need: []string{"sftp"}, do: s.after(b.program("sftp", append(s.options(l.addr), "-b", batch, "127.0.0.1")...))},
			{name: "lftp", role: peer, need: []string{"lftp"}, do: s.after(b.lftp(s, l, dir, 1))},
			{name: "rclone", role: peer, need: []string{"rclone"}, do: s.after(b.rclone(s, l, dir))},
		},
		goals: []goal{{text: "to cat | ssh", most: 1.1, unit: "×", measure: times("gondola", "limit: cat | ssh")}},
	}
}

// smallUploads brings many small documents. Those who wait for every answer would take hours over a long line: they bring a share, and
// what they take is scaled up, of which connecting is a twentieth.
func (b *bench) smallUploads(s *sshd, l line, dir string) contest {
	n := b.size.files
	c := contest{
		name: "upload-small-" + l.name, title: fmt.Sprintf("%s documents of %d KB, renamed, %s", thousands(n), smallFile>>10, l.title),
		contenders: []contender{
			{name: "gondola", role: ours, do: s.after(b.worker("upload", s.dir, s.user, l.addr, dir, b.path("work"), "0"))},
			{name: "limit: raw requests, pipelined", role: limit, do: s.after(b.worker("upload-raw", s.dir, s.user, l.addr, dir))},
			{name: "tar | ssh", role: limit, do: s.after(b.shell(`tar cf - -C "$1" . | `+s.ssh(l.addr)+` 127.0.0.1 "tar xf - -C $2"`, dir, filepath.Join(s.dir, "home", "catalog")))},
		},
	}
	// rclone asks a shell account for the digest of every file by a command of its own.
	const four = "gondola: 4 at once" // as few as the peers, to whom it is to be compared
	shares := map[string]int{four: n, "OpenSSH sftp": n, "lftp, 8 in parallel": n, "rclone": max(n/20, 20)}
	if l.name == "far" {
		shares = map[string]int{four: max(n/20, 20), "OpenSSH sftp": max(n/40, 20), "lftp, 8 in parallel": max(n/4, 20), "rclone": max(n/20, 20)}
	}
	for _, name := range []string{four, "OpenSSH sftp", "lftp, 8 in parallel", "rclone"} {
		some := min(shares[name], n)
		from, err := b.some(dir, some)
		do := func(context.Context) (measure, error) { return measure{}, err }
		need, who := "lftp", peer
		switch {
		case err != nil:
		case name == four:
			need, who = "sshd", ours
			do = b.worker("upload", s.dir, s.user, l.addr, from, b.path("work"), "4")
		case name == "OpenSSH sftp":
			need = "sftp"
			do = b.program("sftp", append(s.options(l.addr), "-b", b.batch(fmt.Sprintf("put-%d.txt", some), from, some), "127.0.0.1")...)
		case name == "rclone":
			need = "rclone"
			do = b.rclone(s, l, from)
		default:
			do = b.lftp(s, l, from, 8)
		}
		c.contenders = append(c.contenders, contender{name: name, role: who, need: []string{need}, share: float64(some) / float64(n), do: s.after(do)})
	}
	if l.name == "far" {
		c.goals = []goal{
			{text: "ahead of lftp with 8 in parallel", least: 6, unit: "×", measure: times("lftp, 8 in parallel", "gondola")},
			{text: "ahead of rclone", least: 40, unit: "×", measure: times("rclone", "gondola")},
			{text: "ahead of OpenSSH sftp", least: 100, unit: "×", measure: times("OpenSSH sftp", "gondola")},
			{text: "to raw pipelined requests", most: 3, unit: "×", measure: times("gondola", "limit: raw requests, pipelined")},
		}
		return c
	}
	c.goals = []goal{
		{text: "ahead of OpenSSH sftp", least: 1.5, unit: "×", measure: times("OpenSSH sftp", "gondola")},
		{text: "ahead of lftp", least: 1.5, unit: "×", measure: times("lftp, 8 in parallel", "gondola")},
		{text: "ahead of rclone", least: 3, unit: "×", measure: times("rclone", "gondola")},
	}
	return c
}

// some returns a folder with the first documents of another one.
func (b *bench) some(dir string, n int) (string, error) {
	all, err := os.ReadDir(dir)
	if err != nil || len(all) <= n {
		return dir, err
	}
	to := fmt.Sprintf("%s-some-%d", dir, n)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return "", err
	}
	for _, e := range all[:n] {
		if err := os.Link(filepath.Join(dir, e.Name()), filepath.Join(to, e.Name())); err != nil && !errors.Is(err, os.ErrExist) {
			return "", err
		}
	}
	return to, nil
}

// batch writes the commands with which OpenSSH's client brings documents safely: under another name first.
func (b *bench) batch(name, dir string, n int) string {
	path := b.path(name)
	err := writeFile(path, func(w *bufio.Writer) error {
		for i := range n {
			fmt.Fprintf(w, "put %s/gondola_%05d.csv catalog/.new\nrename catalog/.new catalog/gondola_%05d.csv\n", dir, i, i)
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(b.log, "  ", err)
	}
	return path
}

func (b *bench) lftp(s *sshd, l line, dir string, parallel int) func(context.Context) (measure, error) {
	_, port, _ := net.SplitHostPort(l.addr)
	return b.program("lftp", "--norc", "-c", fmt.Sprintf(
		"set sftp:connect-program '%s'; set xfer:use-temp-file yes; set net:max-retries 1; open -u %s, -p %s sftp://127.0.0.1; mirror -R --parallel=%d %s %s",
		s.ssh(l.addr)+" -a -x", s.user, port, parallel, dir, "catalog"))
}

func (b *bench) rclone(s *sshd, l line, dir string) func(context.Context) (measure, error) {
	_, port, _ := net.SplitHostPort(l.addr)
	return b.program("rclone", "--config", os.DevNull, "copy", dir, ":sftp:catalog", "--sftp-host", "127.0.0.1", "--sftp-port", port,
		"--sftp-user", s.user, "--sftp-key-file", filepath.Join(s.dir, "client"))
}

// upload sends documents as the house does: from the outbox's rows to verified ones. Making the rows is not timed; connecting is.
func upload(args []string, m *measure) (err error) {
	keys, login, addr, dir, work := args[0], args[1], args[2], args[3], args[4]
	parallel, err := strconv.Atoi(args[5])
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o755)); err != nil {
		return err
	}
	ctx := context.Background()
	st, err := store.Open(ctx, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	n, err := enqueue(ctx, st, dir, work)
	if err != nil {
		return err
	}
	c, err := sftpConfig(keys, login, addr)
	if err != nil {
		return err
	}
	if parallel == 0 {
		parallel = defaultParallel
	}
	c.Parallel, c.ReadBack = parallel, defaultReadBack
	r, err := sftp.Dial(ctx, c)
	if err != nil {
		return err
	}
	if c.Passport, err = r.Probe(ctx); err != nil {
		return err
	}
	if err := r.Close(); err != nil {
		return err
	}
	o := &outbox.Outbox{
		Queue: store.Queue{Store: st, Dir: work, Window: time.Hour}, Parallel: c.Lanes(), Login: c.Login,
		Dial: func(ctx context.Context) (outbox.Remote, error) { return sftp.Dial(ctx, c) },
	}
	begun := time.Now()
	report, err := o.Flush(ctx)
	m.Seconds = time.Since(begun).Seconds()
	if err != nil {
		return err
	}
	if len(report.Arrived) != n {
		err := fmt.Errorf("%w: %d of %d arrived, %d failed", errNoWork, len(report.Arrived), n, len(report.Failures))
		if len(report.Failures) > 0 {
			err = errors.Join(err, report.Failures[0].Err)
		}
		return err
	}
	proof := 0.0
	for _, a := range report.Arrived {
		if a.Receipt.Proof == outbox.ProofDigest {
			proof++
		}
	}
	m.tell("read back", proof, "")
	return nil
}

// What the config says when it says nothing.
const (
	defaultParallel = 256
	defaultReadBack = 16_000_000
)

// sftpConfig says how to log in to the benchmark's server.
func sftpConfig(keys, login, addr string) (sftp.Config, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return sftp.Config{}, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return sftp.Config{}, err
	}
	pin, err := fingerprint(filepath.Join(keys, "host.pub"))
	return sftp.Config{
		Host: host, Port: number, User: login, HostKeys: []string{pin},
		KeyPEM: func() ([]byte, error) { return os.ReadFile(filepath.Join(keys, "client")) },
	}, err
}

// enqueue makes deliveries of all documents of a folder, one for each store.
func enqueue(ctx context.Context, st *store.Store, dir, work string) (int, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for i, e := range all {
		path := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		sum := sha256.Sum256(text)
		below, err := filepath.Rel(work, path)
		if err != nil {
			return 0, err
		}
		_, err = st.Enqueue(ctx, store.Plan{Target: fmt.Sprintf("catalog/%d", i), At: time.Now(), Differs: 1, Rows: 1, Documents: []store.Document{{
			Part: 1, Folder: "catalog", Name: e.Name(), Path: below, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:]), Rows: 1,
		}}})
		if err != nil {
			return 0, err
		}
	}
	return len(all), nil
}
