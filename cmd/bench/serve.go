package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// server is a process that serves until it is stopped.
type server struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string // of the loopback interface, host:port
}

// serve starts a server of this program, or a script, that prints its address as its first line and ends when its standard input does.
func (b *bench) serve(ctx context.Context, name string, args ...string) (*server, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = b.log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, stdin: in}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), s.stop())
	}
	s.addr = strings.TrimSpace(line)
	return s, nil
}

// serveWorker starts a worker that serves.
func (b *bench) serveWorker(ctx context.Context, name string, args ...string) (*server, error) {
	return b.serve(ctx, b.self, append([]string{"worker", name}, args...)...)
}

// start starts a program that listens on an address of its own choice or ours.
func start(ctx context.Context, addr string, log io.Writer, name string, args ...string) (*server, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, stdin: in, addr: addr}
	for range 800 {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return s, c.Close()
		}
		time.Sleep(25 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("%s does not listen on %s", name, addr), s.stop())
}

// peak returns the most memory that it had so far.
func (s *server) peak() int64 { return peakOf(fmt.Sprint(s.cmd.Process.Pid)) }

// cpu returns how long processors have worked for it so far; what it starts does not count.
func (s *server) cpu() time.Duration { return cpuOf(fmt.Sprint(s.cmd.Process.Pid)) }

// stop ends it.
func (s *server) stop() error {
	err := s.stdin.Close()
	ended := make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // it may have been killed
		close(ended)
	}()
	select {
	case <-ended:
		return err
	case <-time.After(200 * time.Millisecond):
	}
	_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended meanwhile
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		err = errors.Join(err, s.cmd.Process.Kill())
		<-ended
	}
	return err
}

// untilStopped prints the address that a worker serves on and waits until it is told to end.
func untilStopped(addr net.Addr) error {
	fmt.Println(addr)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// freeAddress returns an address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// delay passes connections on to an address and lets every byte wait, in either direction, as a long line would.
func delay(args []string, _ *measure) error {
	wait, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", args[0])
			if err != nil {
				_ = near.Close() // it learns by that
				continue
			}
			go late(near, far, wait)
			go late(far, near, wait)
		}
	}()
	return untilStopped(l.Addr())
}

// late copies what comes, each piece so much later.
func late(to, from net.Conn, wait time.Duration) {
	type piece struct {
		due  time.Time
		data []byte
	}
	line := make(chan piece, 1<<14)
	go func() {
		defer close(line)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				line <- piece{time.Now().Add(wait), data[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range line {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	_ = to.Close() // both ends learn by that that it is over
	for range line {
	}
}
