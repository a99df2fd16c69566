package native

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// mqtt connects as MQTT 3.1.1 without a name or password and, if that is accepted, subscribes to the broker's own
// version topics. It never publishes.
func (s *session) mqtt() *service {
	w, err := s.open()
	if err != nil {
		return nil
	}
	defer w.Close()
	connect := []byte("\x10\x16\x00\x04MQTT\x04\x02\x00\x14\x00\x0apatchscout")
	ack := w.ask(connect, s.patience, length(4))
	if len(ack) < 4 || ack[0] != 0x20 || ack[1] != 2 || ack[2] > 1 || ack[3] > 5 {
		s.overhear(ack)
		return nil
	}
	found := &service{Name: "mqtt", Banner: ack[:4]}
	if ack[3] != 0 {
		found.note(fmt.Sprintf("refuses us with code %d; version is not revealed", ack[3]))
		return found
	}
	topics := []string{"$SYS/broker/version", "$SYS/brokers/+/version"}
	body := []byte{0, 1}
	for _, t := range topics {
		body = append(body, 0, byte(len(t)))
		body = append(append(body, t...), 0)
	}
	messages := w.ask(append([]byte{0x82, byte(len(body))}, body...), s.patience, func(b []byte) bool { _, _, ok := published(b); return ok })
	w.SetWriteDeadline(time.Now().Add(time.Second))
	w.Write([]byte{0xe0, 0})
	topic, payload, ok := published(messages)
	if !ok {
		found.note("version is not revealed")
		return found
	}
	text := line(string(payload))
	found.Banner = []byte(topic + ": " + text)
	if g, ok := identify("mqtt", text); ok {
		found.add(g)
	} else if strings.HasPrefix(topic, "$SYS/brokers/emqx") {
		found.add(guess{product: "EMQX", version: text, cpes: []string{cpeName('a', "emqx", "emqx", text, "")}})
	}
	return found
}

// published returns the first whole PUBLISH packet in b.
func published(b []byte) (topic string, payload []byte, ok bool) {
	for len(b) > 2 {
		size, n := 0, 0
		for shift := 0; ; shift += 7 {
			n++
			if n > 4 || n >= len(b) {
				return "", nil, false
			}
			size |= int(b[n]&0x7f) << shift
			if b[n]&0x80 == 0 {
				break
			}
		}
		if len(b) < 1+n+size {
			return "", nil, false
		}
		packet := b[1+n : 1+n+size]
		if b[0]>>4 == 3 && len(packet) >= 2 {
			length := int(binary.BigEndian.Uint16(packet))
			skip := 2 + length
			if b[0]&6 != 0 {
				skip += 2 // a packet id, at QoS 1 and 2
			}
			if skip > len(packet) || 2+length > len(packet) {
				return "", nil, false
			}
			return string(packet[2 : 2+length]), packet[skip:], true
		}
		b = b[1+n+size:]
	}
	return "", nil, false
}

// amqp sends the protocol header of AMQP 0-9-1 and reads Connection.Start.
func (s *session) amqp() *service {
	answer := s.ask([]byte("AMQP\x00\x00\x09\x01"), amqpEnd)
	found := parseAMQP(answer)
	if found == nil {
		s.overhear(answer)
	}
	return found
}

func amqpEnd(b []byte) bool {
	if hasAnyPrefix(b, "AMQP") {
		return len(b) >= 8
	}
	return len(b) >= 7 && len(b) >= 8+int(min(binary.BigEndian.Uint32(b[3:]), 1<<17))
}

func parseAMQP(b []byte) *service {
	if hasAnyPrefix(b, "AMQP") && len(b) >= 8 {
		found := &service{Name: "amqp", Banner: b[:8]}
		found.note(fmt.Sprintf("speaks AMQP %d-%d-%d", b[5], b[6], b[7]))
		return found
	}
	// A method frame (1) on channel 0, class 10 (connection), method 10 (start), version 0-9.
	if len(b) < 17 || b[0] != 1 || !bytes.Equal(b[7:13], []byte{0, 10, 0, 10, 0, 9}) {
		return nil
	}
	properties := map[string]string{}
	amqpTable(b[13:], properties)
	text := strings.TrimSpace(properties["product"] + " " + properties["version"])
	found := recognise("amqp", "amqp", text, []byte(text))
	found.note(properties["platform"])
	if name := properties["cluster_name"]; name != "" {
		found.note("cluster " + name)
	}
	return found
}

// amqpTable reads the long strings of a field table. Other values are skipped where their length is known; the first
// unknown one ends the reading, for the properties that we want come early.
func amqpTable(b []byte, into map[string]string) {
	if len(b) < 4 {
		return
	}
	size := int(min(binary.BigEndian.Uint32(b), 1<<16))
	b = b[4:min(len(b), 4+size)]
	for len(b) > 1 && len(into) < 64 {
		n := int(b[0])
		if len(b) < 2+n {
			return
		}
		name, kind := string(b[1:1+n]), b[1+n]
		b = b[2+n:]
		var length int
		switch kind {
		case 't', 'b', 'B':
			length = 1
		case 's', 'u', 'U':
			length = 2
		case 'I', 'i', 'f':
			length = 4
		case 'l', 'L', 'd', 'T':
			length = 8
		case 'V':
		case 'S', 'F', 'A', 'x':
			if len(b) < 4 {
				return
			}
			length = 4 + int(min(binary.BigEndian.Uint32(b), 1<<16))
		default:
			return
		}
		if length > len(b) {
			return
		}
		if kind == 'S' {
			into[name] = line(string(b[4:length]))
		}
		b = b[length:]
	}
}

// epmd asks Erlang's port mapper for the names of its nodes.
func (s *session) epmd() *service {
	answer := s.ask([]byte{0, 1, 'n'}, nil)
	if len(answer) < 4 || int(binary.BigEndian.Uint32(answer)) != int(s.target.addr.Port()) {
		s.overhear(answer)
		return nil
	}
	found := &service{Name: "epmd", Product: "Erlang port mapper", Banner: answer[4:]}
	for text := range bytes.Lines(answer[4:min(len(answer), 1024)]) {
		found.note(string(text))
	}
	return found
}
