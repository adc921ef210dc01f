package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// statuses asks for something n times; 0 is no answer at all, 999 one that broke off.
func statuses(t *testing.T, s *Sandbox, n int) (got []int, last answered) {
	t.Helper()
	for range n {
		a, err := askWith(t, s.RESTURL(), "GET", vendorPath+"/catalog", "", http.Header{"Authorization": {"Bearer " + catalogToken}})
		if err != nil && a.status != 0 {
			a.status = 999
		}
		got, last = append(got, a.status), a
	}
	return got, last
}

func TestRequestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		arm  func(f *Faults)
		want []int
	}{
		"unauthorized": {func(f *Faults) { f.Unauthorized(1) }, []int{401, 200}},
		"too many":     {func(f *Faults) { f.TooMany(2, "") }, []int{429, 429, 200}},
		"errors":       {func(f *Faults) { f.ServerErrors(1) }, []int{500, 200}},
		"for ever":     {func(f *Faults) { f.ServerErrors(-1) }, []int{500, 500, 500}},
		"one by one":   {func(f *Faults) { f.ServerErrors(1); f.Unauthorized(1); f.TooMany(1, "") }, []int{429, 500, 401, 200}},
		"cut":          {func(f *Faults) { f.CutBodies(1) }, []int{999, 200}},
		"named":        {func(f *Faults) { _ = f.Set("server-errors", true); _ = f.Set("server-errors", false) }, []int{200}},
		"cleared":      {func(f *Faults) { f.ServerErrors(-1); f.Clear() }, []int{200}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRESTSandbox(t, nil)
			c.arm(s.Faults())
			if got, _ := statuses(t, s, len(c.want)); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestReset looks at one attempt alone: the client of the standard library tries a GET again when its connection was reset.
func TestReset(t *testing.T) {
	s := newRESTSandbox(t, nil)
	s.Faults().ResetRequests(1)
	_, err := askWith(t, s.RESTURL(), "PUT", vendorPath+"/catalog", `{"products":[{"sku":"A-1","active":false}]}`,
		http.Header{"Authorization": {"Bearer " + catalogToken}})
	if err == nil {
		t.Error("a reset request was answered")
	}
	if log := s.Requests(); len(log) != 1 || log[0].Status != 0 || log[0].Fault != "reset" || len(s.APIJobs()) != 0 {
		t.Errorf("%+v, %+v", log, s.APIJobs())
	}
}

func TestRetryAfter(t *testing.T) {
	s := newRESTSandbox(t, nil)
	s.Faults().TooMany(1, "7")
	if _, a := statuses(t, s, 1); a.header.Get("Retry-After") != "7" {
		t.Errorf("%v", a)
	}
	s.Faults().TooMany(1, "")
	if _, a := statuses(t, s, 1); a.header.Get("Retry-After") != "" || a.status != http.StatusTooManyRequests {
		t.Errorf("%v", a)
	}
}

func TestTruncatedAndSlowBodies(t *testing.T) {
	s := newRESTSandbox(t, nil)
	_, whole := statuses(t, s, 1)
	s.Faults().TruncateBodies(1)
	if _, a := statuses(t, s, 1); a.body != whole.body[:len(whole.body)/2] || a.status != http.StatusOK {
		t.Errorf("%v", a)
	}
	s.Faults().SlowBodies(5 * time.Millisecond)
	begun := time.Now()
	if _, a := statuses(t, s, 1); a.body != whole.body || time.Since(begun) < 40*time.Millisecond {
		t.Errorf("%v after %s", a, time.Since(begun))
	}
	// The sandbox ends while a slow body is under way.
	s.Faults().SlowBodies(time.Hour)
	ended := make(chan error, 1)
	go func() {
		_, err := askWith(t, s.RESTURL(), "GET", vendorPath+"/catalog", "", http.Header{"Authorization": {"Bearer " + catalogToken}})
		ended <- err
	}()
	eventually(t, "the request came", func() bool { return len(s.Requests()) == 4 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the slow body came whole")
	}
}

// TestCutBodiesCarryOut: the client can't know, but the job is there.
func TestCutBodiesCarryOut(t *testing.T) {
	s := newRESTSandbox(t, nil)
	s.Faults().CutBodies(1)
	_, err := askWith(t, s.RESTURL(), "PUT", vendorPath+"/catalog", `{"products":[{"sku":"A-1","active":false}]}`,
		http.Header{"Authorization": {"Bearer " + catalogToken}})
	if err == nil || len(s.APIJobs()) != 1 {
		t.Errorf("%v, jobs %+v", err, s.APIJobs())
	}
}

func TestFaultNames(t *testing.T) {
	s := newRESTSandbox(t, nil)
	for _, name := range FaultNames() {
		for _, on := range []bool{true, false} {
			if err := s.Faults().Set(name, on); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, _ := statuses(t, s, 1); got[0] != http.StatusOK {
			t.Errorf("after %s was ended: %v", name, got)
		}
	}
	if err := s.Faults().Set("bad-weather", true); err == nil || !strings.Contains(err.Error(), "silence") {
		t.Errorf("unknown fault: %v", err)
	}
}

func TestClockOff(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.ClockAhead = time.Minute })
	s.Faults().ClockOff(-10 * time.Minute)
	if _, err := s.AddOrder(NewOrder{Vendor: "290056"}); err != nil {
		t.Fatal(err)
	}
	if at := s.Orders()[0].Created; !at.Equal(time.Date(2026, 3, 1, 11, 51, 0, 0, time.UTC)) {
		t.Errorf("created at %s", at)
	}
}
