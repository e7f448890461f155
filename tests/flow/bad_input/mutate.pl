#!/usr/bin/perl
# mutate.pl SEED COUNT FOLDER FILE...: writes COUNT files FOLDER/0001.yaml ..., each one of the files with one to five
# changes: bytes, lines and pieces that are lost, doubled, moved, replaced or come from another file. The same seed
# makes the same files.
use strict;
use warnings;

my ($seed, $count, $folder, @files) = @ARGV;
srand($seed);
my @texts = map { open(my $in, '<:raw', $_) or die "$_: $!\n"; local $/; <$in> } @files;

# What breaks decoders, and what breaks parsers and checks.
my @bytes = (
    "\0", "\r", "\xff", "\xc2", "\xc2\x85", "\xe2\x80\xa8", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xef\xbb\xbf", "\x1b[2J", "\x7f",
);
my @words = (
    "\t", "\r\n", "\n", "\n\n", " ", "    ", ":", ": ", "- ", "? ", "[", "]", "{", "}", ",", "'", '"', "|\n", ">-\n", "#", " #", "&a ",
    "*a", "*a, *a, *a", "<<: *a\n", "<<: [*a, *a]\n", "!!str ", "%YAML 1.1\n", "---\n", "...\n", "\\", "\\u0000", "\\ud83d", "\\x", '${',
    '$${x}', "[" x 40, "{a: " x 40, "]" x 40, "9" x 30, "-1", "0x", "1e999", "~", "null", "true", "x" x 300, "version: 1\n", "tasks:\n",
    "id: a\n", "type: noop\n", "params: {}\n", "labels: {a: b}\n", "weight: 0\n", "priority: 101\n", "timeout: 0s\n",
    "defaults: {weight: 2}\n",
);

sub word {
    return rand() < 0.1 ? $bytes[rand @bytes] : $words[rand @words];
}

sub piece { # a part of a text: where, how long
    my ($text) = @_;
    my $at = int rand(length($text) + 1);
    my $long = int rand(rand() < 0.7 ? 12 : length($text) + 1);
    return ($at, $at + $long > length $text ? length($text) - $at : $long);
}

my @changes = (
    sub { my ($at, $long) = piece($_[0]); substr($_[0], $at, $long) = '' },
    sub { my ($at, $long) = piece($_[0]); my $copy = substr($_[0], $at, $long); substr($_[0], $at, 0) = $copy x (1 + int rand 4) },
    sub { my ($at) = piece($_[0]); substr($_[0], $at, 0) = word() },
    sub { my ($at) = piece($_[0]); substr($_[0], $at, 0) = word() },
    sub { my ($at, $long) = piece($_[0]); substr($_[0], $at, $long) = word() },
    sub { my ($at) = piece($_[0]); substr($_[0], $at, 1) = chr(rand() < 0.8 ? 32 + int rand 95 : int rand 256) if $at < length $_[0] },
    sub { my ($at) = piece($_[0]); $_[0] = substr($_[0], 0, $at) },
    sub { my ($at) = piece($_[0]); my $other = $texts[rand @texts]; my ($from, $long) = piece($other);
        substr($_[0], $at, 0) = substr($other, $from, $long) },
    sub { my @lines = split /^/, $_[0]; return if @lines < 2; my ($one, $two) = (int rand @lines, int rand @lines);
        @lines[$one, $two] = @lines[$two, $one]; $_[0] = join '', @lines },
    sub { my @lines = split /^/, $_[0]; return if !@lines; my $line = int rand @lines;
        $lines[$line] = (' ' x int rand 5) . $lines[$line]; $_[0] = join '', @lines },
    sub { my @lines = split /^/, $_[0]; return if !@lines; splice @lines, int rand @lines, 1; $_[0] = join '', @lines },
);

for my $number (1 .. $count) {
    my $text = $texts[rand @texts];
    $changes[rand @changes]->($text) for 1 .. 1 + int rand 5;
    my $name = sprintf '%s/%04d.yaml', $folder, $number;
    open(my $out, '>:raw', $name) or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
}
