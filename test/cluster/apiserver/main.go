// The real kube-apiserver with its etcd in the same process, for the tests: one binary, one data
// directory, nothing to install.
//
//	kube-apiserver ETCD-DIRECTORY [flag of kube-apiserver ...]
//
// Standard input is the lifeline: at its end the process exits, so it never outlives the test that
// holds the other end of the pipe. Each line `compact` on it makes etcd forget every revision but
// the present one; the answer `compacted REVISION` or `failed REASON` goes to standard output.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"
	"golang.org/x/sys/unix"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// The main goroutine keeps the main thread, because the death signal below belongs to a thread.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) < 2 {
		fatal(fmt.Errorf("usage: %s ETCD-DIRECTORY [flag of kube-apiserver ...]", os.Args[0]))
	}
	// A process stopped by SIGSTOP cannot read the end of its standard input: the kernel ends it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		fatal(err)
	}
	etcd, endpoint, err := startEtcd(os.Args[1])
	if err != nil {
		fatal(err)
	}
	go obey(etcd)
	command := app.NewAPIServerCommand()
	command.SetArgs(append([]string{"--etcd-servers=" + endpoint}, os.Args[2:]...))
	code := cli.Run(command)
	etcd.Close()
	os.Exit(code)
}

// startEtcd serves a one-member cluster on Unix sockets in its directory, so that it takes no port.
func startEtcd(directory string) (*embed.Etcd, string, error) {
	client := url.URL{Scheme: "unix", Path: filepath.Join(directory, "client.sock")}
	peer := url.URL{Scheme: "unix", Path: filepath.Join(directory, "peer.sock")}
	config := embed.NewConfig()
	config.Dir = filepath.Join(directory, "data")
	// What it advertises stays the default: nobody asks for it, and a socket is refused there.
	config.ListenClientUrls, config.ListenPeerUrls = []url.URL{client}, []url.URL{peer}
	config.LogLevel = "warn"
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	// A lone member elects itself after one election timeout: make that a tenth of the usual second.
	config.TickMs, config.ElectionMs = 10, 100
	// The data outlives the process, which is what the tests kill; it need not outlive the machine.
	config.UnsafeNoFsync = true
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, "", err
	}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", err
	}
	<-etcd.Server.ReadyNotify()
	return etcd, client.String(), nil
}

func obey(etcd *embed.Etcd) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() != "compact" {
			fmt.Printf("failed unknown command %q\n", lines.Text())
			continue
		}
		revision := etcd.Server.KV().Rev()
		request := &etcdserverpb.CompactionRequest{Revision: revision, Physical: true}
		if _, err := etcd.Server.Compact(context.Background(), request); err != nil {
			fmt.Printf("failed %v\n", err)
		} else {
			fmt.Printf("compacted %d\n", revision)
		}
	}
	os.Exit(0)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
