#!/usr/bin/perl
# The rules of this repository that neither the compiler nor swift-format knows. Reads file names (relative to the
# current folder) from standard input, prints one line for each violation, exits 1 if there is any. Needs only perl-base.
#
#   find ... | perl Scripts/rules.pl          check
#   perl Scripts/rules.pl --list              the names of all rules, for the self-test
use strict;
use warnings;

# Targets below the I/O line: values in, values out.
my @PURE = qw(Primitives Oblivious Records Formats Recognition Ledger Consensus Replication AgentCore);
my %pure = map { $_ => 1 } @PURE;
# Targets whose values are hashed, signed or decided on: equal on every machine, so without floating point.
my %exact = map { $_ => 1 } @PURE;

# Which of our own targets a target may import, and why no other. Tests may import what Package.swift gives them.
my %INTERNAL = (
    # Row 1 to 4.
    Primitives  => [[], 'bytes, hashes and signature checks know nothing of the domain'],
    Oblivious   => [[qw(Primitives CSodium)], 'the group and what is shared in it; randomness comes in as bytes'],
    Records     => [[qw(Primitives)], 'domain values and their bytes; no rules, no parsers'],
    Formats     => [[qw(Primitives Records CIconv CZlib CXML)], 'parsers give exams; they see neither ledger nor storage'],
    Recognition => [[qw(Primitives Records)], 'verdicts depend on values alone, so that all nodes agree'],
    Ledger      => [[qw(Primitives Oblivious Records Recognition)], 'rules of transactions; consensus treats blocks as opaque'],
    Consensus   => [[qw(Primitives)], 'agrees on digests; never sees what they stand for'],
    Replication => [[qw(Primitives Records)], 'decides who lacks what; moves nothing itself'],
    AgentCore   => [[qw(Primitives Oblivious Records Recognition Ledger Consensus Replication)], 'one agent as a value: routes between the cores'],
    # Row 5: one kind of effect each, never sideways.
    LedgerStore => [[qw(Primitives Records Ledger Consensus Replication)], 'stores what the cores give; knows no agent'],
    Vault       => [[qw(Primitives Oblivious Records CZlib CZstd COpenSSL)], 'keys and sealed objects; knows no ledger'],
    PeerLink    => [[qw(Primitives Oblivious Records Consensus Replication Ledger)], 'frames between agents; knows no storage'],
    AgentAPI    => [[], 'public: its signatures cannot show package types'],
    CZlib       => [[], 'a system library'],
    CZstd       => [[], 'a system library'],
    CIconv      => [[], 'a system library'],
    CMalloc     => [[], 'a system library'],
    CXML        => [[], 'a system library'],
    CSodium     => [[], 'a system library'],
    COpenSSL    => [[], 'a system library'],
    # Row 6.
    ImportPipeline => [[qw(Primitives Records Formats CZlib Ledger LedgerStore Vault)], 'from files to sealed records; the runtime submits them'],
    AgentRuntime   => [[@PURE, qw(LedgerStore Vault PeerLink AgentAPI ImportPipeline)], 'performs the effects of the agent'],
    Console        => [[qw(AgentAPI Primitives Records)], 'a client like the command line'],
    SimulationKit  => [[@PURE], 'the production cores with simulated effects: no real ones'],
    # Row 7: compose and print.
    'entente'       => [[@PURE, qw(Vault AgentAPI AgentRuntime CMalloc)], 'talks to the agent over its API; opens no database'],
    'entente-sim'   => [[qw(Primitives SimulationKit)], 'runs simulations'],
    'entente-bench' => [[@PURE, qw(LedgerStore Vault PeerLink AgentAPI AgentRuntime ImportPipeline SimulationKit)], 'measures every part'],
);

# Which targets may import a library: the first row whose pattern matches decides.
my @ROW5UP = qw(LedgerStore Vault PeerLink AgentAPI ImportPipeline AgentRuntime Console entente entente-sim entente-bench);
my @LIBRARY = (
    [qr/^Crypto$/, [qw(Primitives Vault PeerLink SimulationKit entente-bench)], 'checks in Primitives, private keys in Vault, certificates in PeerLink; simulated keys in SimulationKit'],
    [qr/^(CryptoExtras|_CryptoExtras)$/, [qw(Vault)], 'private keys are the business of Vault'],
    [qr/^GRDB$/, [qw(LedgerStore ImportPipeline)], 'one owner for each database file'],
    [qr/^(NIO\w*|X509|SwiftASN1|GRPCNIOTransportHTTP2\w*)$/, [qw(PeerLink Vault AgentAPI AgentRuntime entente entente-bench)], 'sockets, certificates and transports'],
    [qr/^AsyncHTTPClient$/, [qw(AgentRuntime)], 'only a feed asks another server over HTTP'],
    [qr/^(GRPC\w*|SwiftProtobuf)$/, [qw(PeerLink AgentAPI AgentRuntime entente entente-bench)], 'calls between processes'],
    [qr/^(Logging|Metrics)$/, [grep { $_ ne 'AgentAPI' } @ROW5UP], 'nothing below the I/O line logs or measures'],
    [qr/^(ServiceLifecycle|UnixSignals)$/, [qw(PeerLink AgentRuntime Console entente)], 'long-lived services'],
    [qr/^ArgumentParser$/, [qw(entente entente-sim entente-bench)], 'only programs have arguments'],
    [qr/^Yams$/, [qw(entente ImportPipeline)], 'files that people write are read at the edge'],
    [qr/^Hummingbird\w*$|^Mustache$/, [qw(Console)], 'HTTP is the console'],
    [qr/^(Foundation\w*|Dispatch|Synchronization|Glibc|Musl)$/, [@ROW5UP, 'SimulationKit'], 'clocks, files, locks and locale stay above the I/O line'],
    [qr/^(OrderedCollections|DequeModule|HeapModule|Collections)$/, [@PURE, @ROW5UP, 'SimulationKit'], 'collections with a defined order'],
);

# Rules over code, without comments and strings: name, pattern, message, applies to (target, path).
my $below = sub { $pure{ $_[0] // '' } };
my $sources = sub { $_[1] =~ m{^Sources/} };
my $swift = sub { 1 };
my @CODE = (
    ['wall-clock', qr/\bDate\s*\(|\bDate\.now\b|\b(Continuous|Suspending)Clock\b|\bDispatchTime\b/, 'time comes in as a value', $below],
    ['random-identifier', qr/\bUUID\s*\(/, 'identifiers come in as values or are hashes', $below],
    ['concurrency', qr/\bTask\s*(\.\s*detached\b|\{|\(|<)|\bwith(Throwing)?(Discarding)?TaskGroup\b|\basync\b|\bawait\b|^\s*(\w+\s+)*actor\s+[A-Z]/, 'a core is a value: no task, no actor', $below],
    ['hash-order', qr/\bHasher\s*\(|\.hashValue\b/, 'hash values differ in every process', $below],
    ['unseeded-random', qr/\.random\s*\((?![^()]*(\([^()]*\)[^()]*)*\busing\s*:)|\.(shuffled|shuffle|randomElement)\s*\(\s*\)|\bSystemRandomNumberGenerator\b/, 'random bytes come in as values', $below],
    ['floating-point', qr/\b(Double|Float|Float16|Float32|Float64|CGFloat)\b/, 'floating point is not equal everywhere', sub { $exact{ $_[0] // '' } }],
    ['printing', qr/(?<![.\w])(print|debugPrint|dump|NSLog|fputs|puts)\s*\(/, 'nothing below the I/O line has an output', $below],
    ['testable-import', qr/\@testable\b/, 'tests use package access', $swift],
    ['public-outside-api', qr/^\s*(\@\w+(\([^)]*\))?\s+)*(public|open)(\(set\))?\s+(\w+\s+)*(struct|enum|class|actor|protocol|extension|func|var|let|init|subscript|typealias|import)\b/, 'only AgentAPI is public', sub { $_[1] =~ m{^Sources/} && ($_[0] // '') ne 'AgentAPI' }],
    ['disabled-test', qr/\.disabled\b|\bwithKnownIssue\b|\bXCTSkip\b/, 'a test runs or does not exist', sub { $_[1] =~ m{^Tests/} }],
);

my %LIMITS = (file => 800, warn => 400, function => 70);
my @OTHER = qw(forbidden-import unlisted-target unfinished machine-path foreign-reference unexplained-unsafe sleeping-test
    undocumented-type long-file long-function shell-settings not-executable);

if (@ARGV && $ARGV[0] eq '--list') {
    print "$_\n" for (map { $_->[0] } @CODE), @OTHER;
    exit 0;
}

my $violations = 0;
sub violation {
    my ($path, $line, $rule, $message) = @_;
    print "$path:$line: error: [$rule] $message\n";
    $violations++;
}

# Blanks out comments and the contents of strings; keeps every line break.
sub code_only {
    my ($text) = @_;
    my $blank = sub { my $part = shift; $part =~ s/[^\n]//g; $part };
    $text =~ s{
        (\#+"{3}.*?"{3}\#+ | "{3}(?:\\.|(?!"{3}).)*"{3} | \#+"[^\n]*?"\#+ | "(?:\\.|[^"\\\n])*")
        | (//[^\n]* | /\*.*?\*/)
    }{defined $1 ? '""' . $blank->($1) : $blank->($2)}gsex;
    return $text;
}

sub check_import {
    my ($path, $line, $target, $module) = @_;
    return if $module eq $target || $module eq 'Swift';
    my $row = $INTERNAL{$target};
    unless ($row) {
        violation($path, $line, 'unlisted-target', "$target has no row in the import table of Scripts/rules.pl");
        return;
    }
    if ($INTERNAL{$module}) {
        return if grep { $_ eq $module } @{ $row->[0] };
        violation($path, $line, 'forbidden-import', "$target may not import $module: $row->[1]");
        return;
    }
    for my $library (@LIBRARY) {
        my ($pattern, $targets, $reason) = @$library;
        next unless $module =~ $pattern;
        return if grep { $_ eq $target } @$targets;
        violation($path, $line, 'forbidden-import', "$target may not import $module: $reason");
        return;
    }
    violation($path, $line, 'forbidden-import', "$module has no row in the library table of Scripts/rules.pl");
}

# The line after which the body that starts after `offset` ends, or 0 if there is no body.
sub body_end {
    my ($code, $offset) = @_;
    my ($parens, $braces) = (0, 0);
    pos($$code) = $offset;
    while ($$code =~ /([(){}\[\]]|\n\s*\n)/g) {
        my $token = $1;
        if ($token =~ /[(\[]/) { $parens++ }
        elsif ($token =~ /[)\]]/) { $parens-- }
        elsif ($token eq '{') { $braces++ unless $parens && !$braces }
        elsif ($token eq '}') {
            next if $parens && !$braces;
            return 0 if !$braces;
            $braces--;
            return substr($$code, 0, pos($$code)) =~ tr/\n// if !$braces;
        }
        elsif (!$braces && !$parens) { return 0 }
    }
    return 0;
}

my $modifiers = qr/(?:(?:\@\w+(?:\([^)]*\))?|package|public|open|private|fileprivate|internal|static|class|final|override|mutating|nonmutating|consuming|borrowing|nonisolated|convenience|required|prefix|postfix|infix)(?:\((?:set|unsafe)\))?\s+)*/;

sub check_swift {
    my ($path, $text) = @_;
    my ($target) = $path =~ m{^Sources/([^/]+)/};
    my @raw = split /\n/, $text, -1;
    my $code = code_only($text);
    my @lines = split /\n/, $code, -1;

    for my $index (0 .. $#lines) {
        my ($line, $number) = ($lines[$index], $index + 1);
        if ($target && $line =~ /^\s*(?:\@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)\s+)?(\w+)/) {
            check_import($path, $number, $target, $1);
        }
        for my $rule (@CODE) {
            my ($name, $pattern, $message, $applies) = @$rule;
            violation($path, $number, $name, $message) if $line =~ $pattern && $applies->($target, $path);
        }
        if ($line =~ /\@unchecked\s+Sendable|nonisolated\s*\(\s*unsafe\s*\)/ && ($index == 0 || $raw[$index - 1] !~ m{^\s*//})) {
            violation($path, $number, 'unexplained-unsafe', 'say on the line above why this is safe');
        }
        # A sleep before a throw is a limit on a hang, not a wait.
        if ($path =~ m{^Tests/} && $line =~ /\bTask\.sleep\b|(?<![.\w])u?sleep\s*\(|\bThread\.sleep\b/ && ($lines[$index + 1] // '') !~ /^\s*throw\b/) {
            violation($path, $number, 'sleeping-test', 'tests wait for events, never for time');
        }
        if ($path =~ m{^Sources/} && $line =~ /^\s*$modifiers(?:indirect\s+)?(?:struct|enum|class|actor|protocol)\s+\w/ && $line =~ /\bpackage\b/) {
            my $above = $index - 1;
            $above-- while $above >= 0 && $raw[$above] =~ /^\s*\@/;
            violation($path, $number, 'undocumented-type', 'a package type says what it guarantees') unless $above >= 0 && $raw[$above] =~ m{^\s*///};
        }
    }
    while ($code =~ /^[ \t]*$modifiers(?:func\s+\S+|init[?!]?\s*[(<]|subscript\s*[(<]|deinit\b)/mg) {
        my ($offset, $next) = ($-[0], pos($code));
        my $start = (substr($code, 0, $offset) =~ tr/\n//) + 1;
        my $end = body_end(\$code, $offset);
        pos($code) = $next;
        my $count = $end ? $end + 1 - $start + 1 : 0;
        violation($path, $start, 'long-function', "$count lines; the limit is $LIMITS{function}") if $count > $LIMITS{function};
    }
}

sub check_text {
    my ($path, $text) = @_;
    # This file and the self-test spell the patterns out.
    return if $path =~ m{^Scripts/(rules\.pl|check)$};
    my $number = 0;
    for my $line (split /\n/, $text, -1) {
        $number++;
        violation($path, $number, 'unfinished', 'finish it or leave it out') if $line =~ /\b(TODO|FIXME|XXX|HACK)\b|fatalError\s*\(.*[Nn]ot (yet )?implemented/;
        violation($path, $number, 'machine-path', 'a path or host of one machine') if $line =~ m{(?<![\w.])/(work|root)/|/tmp/(wt|slot|brief|issue)|https?://[^/\s"']*(\.internal|\.corp|\.lan|artifact|nexus|mirror|proxy)|https?://(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.};
        violation($path, $number, 'foreign-reference', 'refers to a page that is not in this repository') if $line =~ m{\b[1-7]-(product|architecture|ledger|vault-and-replication|access-and-recognition|interfaces|field-cases)\b|\bshared/(design|style|measured)|\bdesign/\d};
    }
}

sub check_script {
    my ($path, $text) = @_;
    return unless $text =~ /^#!/;
    violation($path, 1, 'not-executable', 'chmod +x') unless -x $path;
    return unless $text =~ /^#!.*\bbash\b/;
    violation($path, 1, 'shell-settings', 'begins with set -euo pipefail') unless $text =~ /^set -euo pipefail$/m;
}

my $warnings = 0;
while (my $path = <STDIN>) {
    chomp $path;
    next if $path =~ m{/Generated/};
    open my $handle, '<', $path or die "$path: $!\n";
    my $text = do { local $/; <$handle> } // '';
    close $handle;
    my $count = $text =~ tr/\n//;
    if ($path =~ /\.swift$|^Scripts\//) {
        violation($path, 1, 'long-file', "$count lines; the limit is $LIMITS{file}") if $count > $LIMITS{file};
        if ($count > $LIMITS{warn} && $count <= $LIMITS{file}) {
            print "$path: warning: $count lines: is it one thing?\n";
            $warnings++;
        }
    }
    check_swift($path, $text) if $path =~ m{^(Sources|Tests)/.*\.swift$};
    check_text($path, $text);
    check_script($path, $text) if $path =~ m{^(Scripts|\.ci)/};
}
print "$violations violations, $warnings warnings\n" if $violations || $warnings;
exit($violations ? 1 : 0);
