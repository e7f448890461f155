// The reference of P1 and P7: the usual task dispatcher in Go. A Task interface, a type registry behind a RWMutex, one
// bounded inbound channel (1024), dispatcher goroutines that route by type to a group's own channel, worker goroutines,
// context.WithTimeout around every Execute, a semaphore.NewWeighted(100) for all, a Prometheus counter and histogram.
//
//	GOPATH=/usr/share/gocode GO111MODULE=off go build -o seed-go . && ./seed-go -n 1000000 -w 4
//
// With -rate it submits that many tasks a second, evenly, and says how long they took from their submission to their
// start. The check is the sum of what the tasks carried.
package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

type Task interface {
	ID() string
	Execute(ctx context.Context) error
	Priority() int
}

type noop struct {
	id string
	n  int
}

var sink uint64

func (t *noop) ID() string                        { return t.id }
func (t *noop) Execute(ctx context.Context) error { atomic.AddUint64(&sink, uint64(t.n)); return nil }
func (t *noop) Priority() int                     { return 0 }

// A probe notes in its own place how long it was on its way.
type probe struct {
	noop
	submitted time.Time
}

var taken []time.Duration

func (t *probe) Execute(ctx context.Context) error {
	taken[t.n] = time.Since(t.submitted)
	return t.noop.Execute(ctx)
}

type Factory func(id string, n int, now time.Time) Task

var factories = map[string]Factory{}
var factoriesLock sync.RWMutex

func register(typ string, f Factory) {
	factoriesLock.Lock()
	factories[typ] = f
	factoriesLock.Unlock()
}

func find(typ string) Factory {
	factoriesLock.RLock()
	defer factoriesLock.RUnlock()
	return factories[typ]
}

type envelope struct {
	typ       string
	task      Task
	submitted time.Time
}

func dispatch(inbound <-chan envelope, groups map[string]chan envelope) {
	for e := range inbound {
		groups[e.typ] <- e
	}
}

func work(group <-chan envelope, weight *semaphore.Weighted, latency prometheus.Observer) {
	for e := range group {
		ctx := context.Background()
		weight.Acquire(ctx, 1)
		c, cancel := context.WithTimeout(ctx, time.Second)
		e.task.Execute(c)
		cancel()
		weight.Release(1)
		latency.Observe(time.Since(e.submitted).Seconds())
	}
}

func submit(typ string, count, rate int, submitted prometheus.Counter, inbound chan<- envelope) {
	start := time.Now()
	for i := 0; i < count; i++ {
		for rate > 0 && time.Since(start) < time.Duration(i)*time.Second/time.Duration(rate) {
			runtime.Gosched()
		}
		now := time.Now()
		task := find(typ)(fmt.Sprintf("t%07d", i), i, now)
		submitted.Inc()
		inbound <- envelope{typ, task, now}
	}
	close(inbound)
}

func printLatency() {
	sort.Slice(taken, func(i, j int) bool { return taken[i] < taken[j] })
	at := func(part float64) float64 { return taken[int(float64(len(taken)-1)*part)].Seconds() * 1e6 }
	fmt.Printf("p50 %.1f p99 %.1f max %.1f\n", at(0.5), at(0.99), at(1))
}

func main() {
	count := flag.Int("n", 1000000, "tasks")
	workers := flag.Int("w", 4, "workers")
	dispatchers := flag.Int("d", 2, "dispatchers")
	rate := flag.Int("rate", 0, "tasks a second; 0: as fast as it can")
	flag.Parse()
	register("noop", func(id string, n int, now time.Time) Task { return &noop{id, n} })
	register("probe", func(id string, n int, now time.Time) Task { return &probe{noop{id, n}, now} })
	typ := "noop"
	if *rate > 0 {
		typ, taken = "probe", make([]time.Duration, *count)
		for i := range taken {
			taken[i] = -1 // no first touch during a call
		}
	}
	submitted := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "task_submitted_total"}, []string{"type"})
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "task_latency_seconds"}, []string{"type"})
	inbound := make(chan envelope, 1024)
	groups := map[string]chan envelope{typ: make(chan envelope, 1024)}
	weight := semaphore.NewWeighted(100)
	var dispatching, working sync.WaitGroup
	start := time.Now()
	for i := 0; i < *dispatchers; i++ {
		dispatching.Add(1)
		go func() { defer dispatching.Done(); dispatch(inbound, groups) }()
	}
	for i := 0; i < *workers; i++ {
		working.Add(1)
		go func() { defer working.Done(); work(groups[typ], weight, latency.WithLabelValues(typ)) }()
	}
	submit(typ, *count, *rate, submitted.WithLabelValues(typ), inbound)
	dispatching.Wait()
	close(groups[typ])
	working.Wait()
	seconds := time.Since(start).Seconds()
	fmt.Printf("seed-go: %d tasks %.6f s %.0f tasks/s (check %d)\n", *count, seconds, float64(*count)/seconds, sink)
	if *rate > 0 {
		printLatency()
	}
}
