package watchers

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Network is many servers on loopback that greet slowly, so that a scan of them lasts.
type Network struct {
	Target string // "127.0.3.0/24"
	Ports  string // "40001,40002"

	listeners []net.Listener
	work      sync.WaitGroup
}

// greeting is what an old FTP server says.
const greeting = "220 (vsFTPd 2.3.4)\r\n"

// Listen opens ports on hosts of 127.0.net.0/24 (at most 250). Each greets after a pause.
func Listen(network byte, hosts, ports int, pause time.Duration) (*Network, error) {
	n := &Network{Target: fmt.Sprintf("127.0.%d.1-%d", network, hosts)}
	var numbers []string
	for range ports {
		port := 0
		for host := 1; host <= hosts; host++ {
			l, err := net.Listen("tcp4", fmt.Sprintf("127.0.%d.%d:%d", network, host, port))
			if err != nil {
				return nil, errors.Join(err, n.Close())
			}
			port = l.Addr().(*net.TCPAddr).Port
			n.listeners = append(n.listeners, l)
			n.work.Go(func() { n.accept(l, pause) })
		}
		numbers = append(numbers, strconv.Itoa(port))
	}
	n.Ports = strings.Join(numbers, ",")
	return n, nil
}

func (n *Network) accept(l net.Listener, pause time.Duration) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		n.work.Go(func() {
			defer conn.Close()
			time.Sleep(pause)
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Write([]byte(greeting)); err == nil {
				_, _ = conn.Read(make([]byte, 512)) // until the scanner has heard enough
			}
		})
	}
}

// Close ends all servers and waits for them.
func (n *Network) Close() (err error) {
	for _, l := range n.listeners {
		err = errors.Join(err, l.Close())
	}
	n.work.Wait()
	return err
}
