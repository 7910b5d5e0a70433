#!/usr/bin/env python3
"""Checks an evidence file or an account against a genesis file. Written from Documentation/Protocol/Evidence.md,
Account.md and Transactions.md alone, in the standard library, as the second implementation that keeps those pages honest.

usage: verify_evidence.py [--flip-bits] GENESIS EVIDENCE
Exit codes: 0 valid, 7 invalid, 2 usage."""
import hashlib
import sys

# ---- Ed25519 (RFC 8032 section 5.1), in extended coordinates ---------------------------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * a[3] * b[3] * D % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return ((x if x & 1 == sign else P - x), y, 1, (x if x & 1 == sign else P - x) * y % P)


def compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
KNOWN = {}


def signature_holds(key, signature, message):
    question = (key, signature, message)
    if question not in KNOWN:
        KNOWN[question] = check_signature(*question)
    return KNOWN[question]


def check_signature(key, signature, message):
    s = int.from_bytes(signature[32:], "little")
    point = decompress(key)
    if point is None or s >= L or equal(multiply(8, point), IDENTITY):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    negated = (P - point[0], point[1], 1, P - point[3])
    return compress(add(multiply(s, BASE), multiply(k, negated))) == signature[:32]


# ---- BCS ---------------------------------------------------------------------------------------------------------------
class Malformed(Exception):
    pass


def require(condition):
    if not condition:
        raise Malformed


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def fixed(self, count):
        require(count <= len(self.data) - self.at)
        self.at += count
        return self.data[self.at - count:self.at]

    def unsigned(self, size):
        return int.from_bytes(self.fixed(size), "little")

    def time(self):
        return int.from_bytes(self.fixed(8), "little", signed=True)

    def length(self, most):
        value = 0
        for shift in range(0, 35, 7):
            byte = self.unsigned(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                require((byte or not shift) and value < 1 << 32 and value <= most)
                return value
        raise Malformed

    def bytes(self, most):
        return self.fixed(self.length(most))

    def text(self, most):
        try:
            return self.bytes(most).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed

    def option(self, read):
        flag = self.unsigned(1)
        require(flag < 2)
        return read() if flag else None

    def list(self, most, read):
        return [read() for _ in range(self.length(most))]

    def ascending(self, most, read):
        values = self.list(most, read)
        require(all(a < b for a, b in zip(values, values[1:])))
        return values

    def digest(self):
        return self.fixed(32)

    def digests(self, most):
        return self.list(most, self.digest)

    def institution(self):
        name = self.bytes(32)
        require(name and 97 <= name[0] <= 122)
        require(all(97 <= byte <= 122 or 48 <= byte <= 57 or byte == 45 for byte in name))
        return name

    def choice(self, values):
        value = self.unsigned(1)
        require(value in values)
        return value

    def end(self):
        require(self.at == len(self.data))


def whole(data, read):
    reader = Reader(data)
    value = read(reader)
    reader.end()
    return value


# ---- Hashes and trees ------------------------------------------------------------------------------------------------
def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def u64(value):
    return value.to_bytes(8, "little")


def signed(chain, use, body, epoch=0):
    return b"entente/1\0" + chain + bytes([use]) + u64(epoch) + body


def included(leaf, index, size, path, root):
    """RFC 9162 section 2.1.3.2."""
    if index >= size:
        return False
    node, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            value = H(b"\x01", sibling, value)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = H(b"\x01", value, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and value == root


def in_state(proof, key, value, root):
    bits = int.from_bytes(key, "big")
    node = H(b"\x02", key, H(value))
    for depth in reversed(range(len(proof))):
        right = bits >> (255 - depth) & 1
        node = H(b"\x03", proof[depth], node) if right else H(b"\x03", node, proof[depth])
    return node == root


# ---- Formats ---------------------------------------------------------------------------------------------------------
class Parts:
    """Named fields."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


def genesis(data):
    def member(r):
        name = r.institution()
        r.text(128), r.text(4), r.text(12)
        role = r.choice((1, 2))
        r.text(128)
        key = r.fixed(32)
        r.fixed(1216), r.digest()
        return name, role, key

    def read(r):
        require(r.fixed(8) == b"ENTGENE1" and r.unsigned(1) == 2)
        r.fixed(16)
        r.choice((0, 1))
        # Threshold, window and quota of the pseudonym key.
        r.fixed(10)
        require(r.unsigned(1) == 2)
        return r.ascending(1024, lambda: member(r))

    members = whole(data, read)
    voters = [(name, key) for name, role, key in members if role == 1]
    encoded = b"".join(bytes([len(name)]) + name + key for name, key in voters)
    require(len(voters) < 128)
    return Parts(
        chain=H(b"entente/chain\0", data),
        keys={name: key for name, _, key in members},
        voters=voters,
        voters_hash=H(b"entente/set\0", bytes([len(voters)]), encoded),
    )


def header(r):
    start = r.at
    parent_at = start + 2 + 1 + 32 + 8 + 8 + 8 + 8 + 2 + 8
    require(r.unsigned(2) == 1)
    r.unsigned(1)
    h = Parts(chain=r.digest(), epoch=r.unsigned(8), view=r.unsigned(8), height=r.unsigned(8), time=r.time())
    r.fixed(2 + 8 + 32 + 32)
    h.count, h.transactions, h.receipts, h.state = r.unsigned(4), r.digest(), r.digest(), r.digest()
    h.history_size, h.history, h.voters_hash = r.unsigned(8), r.digest(), r.digest()
    r.fixed(32 + 32 + 8 + 32)
    h.hash, h.parent = H(b"entente/blk\0", r.data[start:r.at]), r.data[parent_at:parent_at + 32]
    return h


def leaf(r):
    start = r.at
    value = Parts(record=r.digest())
    r.unsigned(4)
    value.commitment = r.digest()
    r.digest()
    r.option(r.digest)
    value.hash = H(b"\0exam/1", r.data[start:r.at])
    return value


def state_proof(r):
    count = r.unsigned(2)
    require(count <= 256)
    bits = int.from_bytes(r.fixed((count + 7) // 8), "little")
    require(bits >> count == 0)
    empty = bytes(32)
    siblings = [empty if bits >> index & 1 else r.digest() for index in range(count)]
    require(all(bits >> index & 1 or sibling != empty for index, sibling in enumerate(siblings)))
    require(r.length(2) == 0)
    return siblings


def scope(r):
    start = r.at
    r.ascending(6, lambda: r.choice((1, 2, 3, 4, 5, 6)))
    r.ascending(8, lambda: r.text(48).encode())
    r.option(r.time), r.option(r.time)
    purpose = r.choice((1, 2, 3, 4, 5))
    require(1 <= r.unsigned(4) <= 604800)
    r.ascending(8, r.digest)
    require(r.option(lambda: r.unsigned(4)) != 0)
    r.ascending(4, lambda: r.choice((1, 2, 3, 4)))
    r.ascending(4, lambda: r.fixed(16))
    r.ascending(8, lambda: r.text(48).encode())
    referral = r.option(r.digest)
    return Parts(purpose=purpose, referral=referral, bytes=r.data[start:r.at])


def support(r):
    return Parts(state=r.bytes(8192), proof=state_proof(r))


def file_grant(r):
    g = Parts(state=r.bytes(16384), proof=state_proof(r), scope=scope(r))
    g.narrowings = r.list(4, lambda: scope(r))
    g.group, g.delegation = r.option(lambda: support(r)), r.option(lambda: support(r))
    g.referrals = r.list(6, lambda: support(r))
    return g


def grant_state(r):
    r.digest()
    g = Parts(salt=r.fixed(16))
    r.unsigned(8), r.unsigned(1)
    g.custodians, g.grantees = r.ascending(64, r.institution), r.ascending(64, r.institution)
    g.groups = r.ascending(8, r.institution)
    g.scope_commitment = r.digest()
    r.bytes(512)
    g.not_before, g.not_after = r.time(), r.time()
    grantor = r.length(3)
    g.delegation = None
    if grantor == 1:
        r.institution(), r.digest()
    elif grantor == 3:
        r.institution()
    else:
        r.fixed(32)
        g.delegation = r.digest() if grantor == 2 else None
    g.id = H(b"entente/grant/1\0", r.data[:r.at])
    g.created, _ = r.unsigned(8), r.time()
    g.revoked, revoked_time = r.option(lambda: r.unsigned(8)), r.option(r.time)
    require((g.revoked is None) == (revoked_time is None))
    g.narrowings = r.list(4, lambda: narrowing(r))
    return g


def narrowing(r):
    n = Parts(grantees=r.ascending(16, r.institution), custodians=r.ascending(16, r.institution), commitment=r.digest())
    r.bytes(512)
    n.height = r.unsigned(8)
    return n


def group_state(r):
    g = Parts(id=r.institution(), keeper=r.institution())
    g.members = r.list(128, lambda: (r.institution(), r.unsigned(8), r.option(lambda: r.unsigned(8))))
    return g


def delegation_state(r):
    r.digest(), r.fixed(16), r.unsigned(1)
    r.institution() if r.length(1) else r.fixed(32)
    r.fixed(32), r.choice((1, 2, 3)), r.digest(), r.bytes(512), r.time()
    d = Parts(not_after=r.time())
    r.digest(), r.unsigned(8)
    d.created, _ = r.unsigned(8), r.time()
    d.ended, ended_time = r.option(lambda: r.unsigned(8)), r.option(r.time)
    require((d.ended is None) == (ended_time is None))
    return d


def referral_state(r):
    r.institution(), r.institution(), r.unsigned(8)
    v = Parts(id=H(b"entente/referral/1\0", r.data[:r.at]))
    v.opened, v.closed = r.unsigned(8), r.option(lambda: r.unsigned(8))
    return v


def credential(r):
    start = r.at
    require(r.unsigned(1) == 2)
    c = Parts(institution=r.institution())
    r.text(64), r.text(64), r.text(64), r.text(64)
    require(r.unsigned(1) < 4)
    c.key, c.issued, c.expires = r.fixed(32), r.time(), r.time()
    c.body = r.data[start:r.at]
    c.signature = r.fixed(64)
    return c


def receipt(r):
    start = r.at
    require(r.unsigned(1) == 1)
    value = Parts(institution=r.institution())
    request = r.at
    require(r.unsigned(1) == 1)
    value.record, value.purpose = r.digest(), r.choice((1, 2, 3, 4, 5))
    r.fixed(16)
    value.credential_id = r.digest()
    value.request = r.data[request:r.at]
    value.request_signature = r.fixed(64)
    value.credential = credential(r)
    value.custodian = r.institution()
    value.grant, value.height, value.time = r.option(r.digest), r.unsigned(8), r.time()
    value.body = r.data[start:r.at]
    value.signature = r.fixed(64)
    value.leaf = H(b"\0receipt/1", r.data[start:r.at])
    return value


def account(r):
    start = r.at
    require(r.fixed(8) == b"ENTACCT1")
    f = Parts(chain=r.digest(), institution=r.institution(), begin=r.time(), end=r.time(), header=header(r))
    f.finalization, f.history = r.bytes(5120), r.digests(64)
    f.blocks = r.list(131072, lambda: account_block(r))
    f.readings = r.list(65536, lambda: r.list(1024, lambda: receipt(r)))
    f.grants = r.list(65536, lambda: account_grant(r))
    f.digest = H(r.data[start:r.at])
    f.signature = r.fixed(64)
    return f


def account_block(r):
    transactions = lambda most: r.list(16384, lambda: r.bytes(most))
    return Parts(header=header(r), transactions=transactions(2 << 20), receipts=transactions(256))


def account_grant(r):
    return Parts(state=r.bytes(16384), proof=state_proof(r), groups=r.list(8, lambda: support(r)))


def said(r):
    """What the chain says of a transaction: its id, and whether it succeeded."""
    transaction, code = r.digest(), r.unsigned(2)
    r.text(64)
    return transaction, code == 0


def evidence(r):
    require(r.fixed(8) == b"ENTEVID1")
    f = Parts(chain=r.digest(), suite=r.unsigned(1), salt=r.fixed(32), content=r.bytes(32 << 20), leaf=leaf(r))
    f.leaf_index, f.leaf_path = r.unsigned(4), r.digests(16)
    f.transaction, f.index = r.bytes(4096), r.unsigned(4)
    f.transaction_path, f.receipt_path = r.digests(16), r.digests(16)
    f.ancestor = r.option(lambda: (header(r), r.digests(64)))
    f.header = header(r)
    f.finalization = r.bytes(5120)
    f.grant = r.option(lambda: file_grant(r))
    f.receipt = receipt(r)
    return f


def content(r):
    r.choice((1,))
    r.list(16384, lambda: (r.text(64), r.bytes(32 << 20)))


def transaction(r):
    t = Parts(version=r.unsigned(2), suite=r.unsigned(1), chain=r.digest(), module=(r.unsigned(2), r.unsigned(2)))
    t.payload = r.bytes(2 << 20)
    r.unsigned(8)
    signers = r.ascending(8, lambda: (1, r.fixed(32)) if r.length(1) else (0, r.institution()))
    t.body = r.data[:r.at]
    t.signatures = [r.fixed(64) for _ in signers]
    t.signers = signers
    return t


def anchor(r):
    require(r.length(0) == 0)
    a = Parts(institution=r.institution())
    r.unsigned(8), r.digest()
    a.count, a.root = r.unsigned(4), r.digest()
    r.digest()
    return a


def certificate(r):
    c = Parts(kind=r.unsigned(1), epoch=r.unsigned(8), view=r.unsigned(8), hash=r.digest(), bits=r.unsigned(8))
    c.signatures = r.list(64, lambda: r.fixed(64))
    return c


def readable(data, read):
    try:
        return whole(data, read)
    except Malformed:
        return None


# ---- The check -------------------------------------------------------------------------------------------------------
def verify(data, g):
    """The names of the broken links; none if the file is valid."""
    try:
        f = whole(data, evidence)
    except Malformed:
        return ["file"]
    block = f.ancestor[0] if f.ancestor else f.header
    t = readable(f.transaction, transaction)
    a = readable(t.payload, anchor) if t and t.module == (2, 1) else None
    checks = {
        "chain": f.chain == g.chain == block.chain == f.header.chain,
        "record": f.suite == 2
        and f.leaf.commitment == H(b"rec-commit/1", bytes([f.suite]), f.salt, f.content)
        and readable(f.content, lambda r: content(r) or True),
        "batch": a and included(f.leaf.hash, f.leaf_index, a.count, f.leaf_path, a.root),
        "transaction": a and check_transaction(t, a, g),
        "block": t and check_block(f, t, block),
        "history": not f.ancestor
        or included(H(b"\0blk/1", block.hash), block.height, f.header.history_size, f.ancestor[1], f.header.history),
        "finality": check_finality(f, g),
        "receipt": a and check_receipt(f, a, g),
        "clinician": check_clinician(f.receipt, g),
        "grant": check_grant(f),
    }
    return [name for name, holds in checks.items() if not holds]


def tree(leaves):
    """RFC 9162 section 2.1.1, over hashes of leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else H()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return H(b"\1", tree(leaves[:left]), tree(leaves[left:]))


def verify_account(data, g):
    """The codes of what does not hold; none if the account is valid."""
    try:
        f = whole(data, account)
    except Malformed:
        return ["malformed"]
    if not f.blocks:
        return ["malformed"]
    if f.chain != g.chain or f.header.chain != g.chain or f.institution not in g.keys:
        return ["wrong-chain"]
    key, headers = g.keys[f.institution], [block.header for block in f.blocks]
    first, last = headers[0], headers[-1]
    isTip = last.hash == f.header.hash
    anchored = [line for block in f.blocks for line in account_anchors(block, f.institution)]
    receipts = [receipt for batch in f.readings for receipt in batch]
    whole_lists = None not in anchored and len(anchored) == len(f.readings)
    checks = {
        "not-signed": signature_holds(key, f.signature, signed(g.chain, 39, f.digest)),
        "not-final": check_finality(f, g),
        "not-in-history": not f.history if isTip else included(
            H(b"\0blk/1", last.hash), last.height, f.header.history_size, f.history, f.header.history
        ),
        "blocks-missing": all(b.height == a.height + 1 and b.parent == a.hash for a, b in zip(headers, headers[1:])),
        "period-not-covered": f.begin < f.end
        and (first.height == 0 or first.time < f.begin)
        and (isTip or last.time >= f.end),
        "other-content": None not in anchored,
        "readings-missing": whole_lists
        and all(
            len(batch) == a.count and tree([receipt.leaf for receipt in batch]) == a.root
            for batch, a in zip(f.readings, anchored)
        ),
        "reading-not-authentic": all(
            r.institution == f.institution
            and r.height <= f.header.height
            and check_clinician(r, g)
            and signature_holds(key, r.signature, signed(g.chain, 35, r.body))
            for r in receipts
        ),
        "reading-not-allowed": check_account_grants(f, receipts),
    }
    return [name for name, holds in checks.items() if not holds]


def account_anchors(block, institution):
    """The batches of readings that a block took in; a None if the block is not what its header says."""
    h = block.header
    if not h.count == len(block.transactions) == len(block.receipts):
        return [None]
    if tree([H(b"\0tx/1", t) for t in block.transactions]) != h.transactions:
        return [None]
    if tree([H(b"\0rcpt/1", r) for r in block.receipts]) != h.receipts:
        return [None]
    found = []
    for data, answer in zip(block.transactions, block.receipts):
        t, outcome = readable(data, transaction), readable(answer, said)
        if t is None or outcome is None or outcome[0] != H(b"entente/tx/1\0", t.body):
            return [None]
        a = readable(t.payload, anchor) if t.module == (4, 1) and outcome[1] else None
        if a and a.institution == institution:
            found.append(a)
    return found


def check_account_grants(f, receipts):
    proved = {}
    for g in f.grants:
        s = readable(g.state, grant_state)
        if s is None or not in_state(g.proof, key(3, 1, s.id), g.state, f.header.state):
            return False
        s.members = []
        for item in g.groups:
            group = readable(item.state, group_state)
            if not group or group.id not in s.groups:
                return False
            if not in_state(item.proof, key(3, 3, bytes([len(group.id)]) + group.id), item.state, f.header.state):
                return False
            s.members += group.members
        proved[s.id] = s
    named = {r.grant for r in receipts if r.grant is not None}
    return len(proved) == len(f.grants) and named == set(proved) and all(account_allows(proved, r) for r in receipts)


def account_allows(proved, r):
    if r.grant is None:
        return r.institution == r.custodian
    s, height = proved[r.grant], r.height
    readers = list(s.grantees)
    readers += [name for name, since, until in s.members if since <= height and (until is None or height < until)]
    return (
        r.institution in readers
        and not any(n.height <= height and r.institution in n.grantees for n in s.narrowings)
        and not any(n.height <= height and r.custodian in n.custodians for n in s.narrowings)
        and (not s.custodians or r.custodian in s.custodians)
        and s.created <= height
        and s.not_before <= r.time < s.not_after
        and (s.revoked is None or s.revoked > height)
    )


def check_transaction(t, a, g):
    return (
        (t.version, t.suite, t.chain, t.signers) == (1, 2, g.chain, [(0, a.institution)])
        and a.institution in g.keys
        and signature_holds(g.keys[a.institution], t.signatures[0], signed(g.chain, 16, t.body))
    )


def check_block(f, t, block):
    success = H(b"\0rcpt/1", H(b"entente/tx/1\0", t.body), b"\0\0", b"\0")
    return included(
        H(b"\0tx/1", f.transaction), f.index, block.count, f.transaction_path, block.transactions
    ) and included(success, f.index, block.count, f.receipt_path, block.receipts)


def check_finality(f, g):
    c = readable(f.finalization, certificate)
    if c is None or f.header.epoch != 0 or f.header.voters_hash != g.voters_hash:
        return False
    n = len(g.voters)
    signers = [index for index in range(64) if c.bits >> index & 1]
    message = signed(g.chain, 3, u64(c.view) + c.hash, c.epoch)
    return (
        (c.kind, c.epoch, c.view, c.hash) == (3, 0, f.header.view, f.header.hash)
        and len(signers) == len(c.signatures) >= n - (n - 1) // 3
        and signers[-1] < n
        and all(signature_holds(g.voters[i][1], s, message) for i, s in zip(signers, c.signatures))
    )


def check_receipt(f, a, g):
    r = f.receipt
    return (
        r.record == f.leaf.record
        and r.custodian == a.institution
        and r.institution in g.keys
        and signature_holds(g.keys[r.institution], r.signature, signed(g.chain, 35, r.body))
        and r.height <= f.header.height
    )


def check_clinician(r, g):
    c = r.credential
    return (
        c.institution == r.institution
        and c.institution in g.keys
        and r.credential_id == H(b"credential/1", c.body)
        and signature_holds(g.keys[c.institution], c.signature, signed(g.chain, 33, c.body))
        and c.issued <= r.time < c.expires
        and signature_holds(c.key, r.request_signature, signed(g.chain, 34, r.request))
    )


def check_grant(f):
    r = f.receipt
    if r.grant is None:
        return f.grant is None and r.institution == r.custodian
    s = readable(f.grant.state, grant_state) if f.grant else None
    return (
        s is not None
        and s.id == r.grant
        and in_state(f.grant.proof, H(b"\x03\0\x01", s.id), f.grant.state, f.header.state)
        and H(b"grant-scope/1", s.salt, f.grant.scope.bytes) == s.scope_commitment
        and supported(f, s, r)
        and not any(n.height <= r.height and r.institution in n.grantees for n in s.narrowings)
        and not any(n.height <= r.height and r.custodian in n.custodians for n in s.narrowings)
        and (not s.custodians or r.custodian in s.custodians)
        and f.grant.scope.purpose == r.purpose
        and s.created <= r.height
        and s.not_before <= r.time < s.not_after
        and (s.revoked is None or s.revoked > r.height)
    )


def supported(f, s, r):
    """Whether what the grant leans on is in the state, and allowed the reading."""
    g, root, height = f.grant, f.header.state, r.height
    if [H(b"grant-scope/1", s.salt, n.bytes) for n in g.narrowings] != [n.commitment for n in s.narrowings]:
        return False
    readers = list(s.grantees)
    if g.group:
        group = readable(g.group.state, group_state)
        if not group or group.id not in s.groups:
            return False
        if not in_state(g.group.proof, key(3, 3, bytes([len(group.id)]) + group.id), g.group.state, root):
            return False
        readers += [name for name, since, until in group.members if since <= height and (until is None or height < until)]
    if (g.delegation is None) != (s.delegation is None):
        return False
    if g.delegation:
        d = readable(g.delegation.state, delegation_state)
        if not d or not in_state(g.delegation.proof, key(9, 1, s.delegation), g.delegation.state, root):
            return False
        if d.created > height or d.ended is not None and d.ended <= height or r.time >= d.not_after:
            return False
    proved = set()
    for item in g.referrals:
        v = readable(item.state, referral_state)
        if not v or not in_state(item.proof, key(3, 4, v.id), item.state, root):
            return False
        if v.opened > height or v.closed is not None and v.closed <= height:
            return False
        proved.add(v.id)
    bound = {scope.referral for scope in [g.scope] + g.narrowings if scope.referral is not None}
    return bound <= proved and r.institution in readers


def key(module, tag, field):
    return H(module.to_bytes(2, "little"), bytes([tag]), field)


def main(arguments):
    flip = "--flip-bits" in arguments
    files = [argument for argument in arguments if argument != "--flip-bits"]
    if len(files) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(files[0], "rb") as first, open(files[1], "rb") as second:
        g, data = genesis(first.read()), second.read()
    check = verify_account if data.startswith(b"ENTACCT1") else verify
    broken = check(data, g)
    print("valid" if not broken else "invalid: " + ", ".join(broken))
    if broken:
        return 7
    if flip:
        changed = bytearray(data)
        for bit in range(8 * len(data)):
            changed[bit // 8] ^= 1 << bit % 8
            if not check(bytes(changed), g):
                print(f"still valid with bit {bit} flipped")
                return 7
            changed[bit // 8] ^= 1 << bit % 8
        print(f"invalid with any of {8 * len(data)} bits flipped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
