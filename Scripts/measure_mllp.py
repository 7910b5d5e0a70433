#!/usr/bin/env python3
"""Sends HL7 results to an agent's MLLP port and prints how many a second it answered with AA, and how soon.

    Scripts/measure_mllp.py PORT CONNECTIONS MESSAGES WINDOW [FIRST]

MESSAGES is for each connection; WINDOW is how many a connection sends ahead of the answers (1: it waits for each). FIRST is
the number of the first message: a number that was sent before is a duplicate. Only for agents without TLS, with test data.
"""
import socket
import sys
import threading
import time

PATIENTS = 2000
ITEMS = 10


def message(number):
    head = (
        "MSH|^~\\&|LIS|HOSP|HIE|AREA|20260510083000+0800||ORU^R01^ORU_R01|C{0}|P|2.5.1|||||CHN|UNICODE UTF-8\r"
        "PID|1||P{1}^^^&1.2.156.99&ISO^MR||测试^病人||19600101|F\r"
        "OBR|1|P{0}^HIS|F{0}^LIS|2345-7^Glucose^LN|||20260510080000+0800|||||||||||||||20260510083000+0800||CH|F\r"
    ).format(number, number % PATIENTS)
    items = "".join(
        f"OBX|{item}|NM|2345-{item}^Glucose^LN||5.{number % 10}|mmol/L^^UCUM|3.9-6.1|N|||F\r" for item in range(ITEMS)
    )
    return b"\x0b" + (head + items).encode() + b"\x1c\x0d"


def send(port, numbers, window, delays, refused):
    link = socket.create_connection(("127.0.0.1", port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    messages = [message(number) for number in numbers]
    times, answered, rest = [], 0, b""
    while answered < len(messages):
        count = min(len(messages), answered + window) - len(times)
        if count > 0:
            link.sendall(b"".join(messages[len(times) : len(times) + count]))
            times += [time.monotonic()] * count
        piece = link.recv(1 << 16)
        if not piece:
            refused.append("closed")
            return
        *answers, rest = (rest + piece).split(b"\x1c\x0d")
        for answer in answers:
            if b"MSA|AA|C%d" % numbers[answered] not in answer:
                refused.append(numbers[answered])
            delays.append(time.monotonic() - times[answered])
            answered += 1


def main():
    port, connections, each, window = (int(word) for word in sys.argv[1:5])
    first = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    delays, refused = [], []
    threads = [
        threading.Thread(
            target=send,
            args=(port, range(first + each * index, first + each * (index + 1)), window, delays, refused),
        )
        for index in range(connections)
    ]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - start
    delays.sort()
    print(
        f"{connections} connections, {window} ahead: {len(delays) / elapsed:.0f} messages/s, "
        f"p50 {1000 * delays[len(delays) // 2]:.0f} ms, p99 {1000 * delays[len(delays) * 99 // 100]:.0f} ms, "
        f"{len(refused)} not AA"
    )
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
