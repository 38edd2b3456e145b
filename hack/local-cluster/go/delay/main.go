// Command delay holds back what a pod sends to some addresses, on kernels whose traffic control cannot: the routes
// to them lead to a TUN device, and what arrives there goes out of the pod's own device a fixed time later. It runs in
// the pod's network namespace, until its standard input ends; then device and routes go with it.
//
//	delay DEVICE TIME ADDRESS...
//
// It says "ready" on its standard output once the routes are there.
package main

import (
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"
)

const (
	tunDevice = "far0"
	// Three seconds at some thousand packets a second; more than that is lost, as in a full router.
	mostHeld   = 1 << 14
	mostPacket = 1 << 16
)

type packet struct {
	due  time.Time
	data []byte
}

func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: delay DEVICE TIME ADDRESS...")
	}
	delay, err := time.ParseDuration(os.Args[2])
	check("the time", err)
	tun, err := openTun(tunDevice)
	check("the TUN device", err)
	raw, err := openRaw(os.Args[1])
	check("the raw socket", err)
	check("the device", run("link", "set", tunDevice, "up"))
	source := sourceOn(os.Args[1])
	for _, address := range os.Args[3:] {
		check("the route", run("route", "replace", address+"/32", "dev", tunDevice, "src", source))
	}
	fmt.Println("ready")
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	held := make(chan packet, mostHeld)
	go send(raw, held)
	receive(tun, delay, held)
}

func receive(tun int, delay time.Duration, held chan<- packet) {
	buffer := make([]byte, mostPacket)
	for {
		size, err := syscall.Read(tun, buffer)
		if err == syscall.EINTR {
			continue
		}
		check("reading", err)
		select {
		case held <- packet{time.Now().Add(delay), append([]byte(nil), buffer[:size]...)}:
		default:
		}
	}
}

// send keeps the order: all packets are held for the same time.
func send(raw int, held <-chan packet) {
	for one := range held {
		time.Sleep(time.Until(one.due))
		target, ok := targetOf(one.data)
		if !ok {
			continue
		}
		// A packet that cannot be sent is a packet lost.
		_ = syscall.Sendto(raw, one.data, 0, &syscall.SockaddrInet4{Addr: target})
	}
}

// targetOf reads the destination of an IPv4 packet.
func targetOf(data []byte) ([4]byte, bool) {
	if len(data) < 20 || data[0]>>4 != 4 {
		return [4]byte{}, false
	}
	return [4]byte(data[16:20]), true
}

// openTun makes a device whose packets come without any header before them.
func openTun(name string) (int, error) {
	file, err := syscall.Open("/dev/net/tun", syscall.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], name)
	request.flags = syscall.IFF_TUN | syscall.IFF_NO_PI
	_, _, failure := syscall.Syscall(syscall.SYS_IOCTL, uintptr(file), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request)))
	if failure != 0 {
		return 0, failure
	}
	return file, nil
}

// openRaw sends whole packets, by the routes of one device alone.
func openRaw(device string) (int, error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
	if err != nil {
		return 0, err
	}
	return socket, syscall.BindToDevice(socket, device)
}

// sourceOn answers the pod's own address.
func sourceOn(device string) string {
	text, err := exec.Command("ip", "-brief", "-4", "address", "show", "dev", device).Output()
	check("the pod's address", err)
	var name, state, address string
	_, err = fmt.Sscan(string(text), &name, &state, &address)
	check("the pod's address", err)
	prefix, err := netip.ParsePrefix(address)
	check("the pod's address", err)
	return prefix.Addr().String()
}

func run(args ...string) error {
	said, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, said)
	}
	return nil
}

func check(what string, err error) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}
