"""`signet checkconf` and named-checkconf agree on what is a configuration, and on what is none."""

import os
import re
import shutil
import subprocess

import pytest
from support.signet import BIN

KEY = 'key "k" { algorithm hmac-sha256; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };'
POLICY = 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; };'
PRIMARY = 'type primary; file "x.db"; '


def options(text):
    return f"options {{ {text} }};"


def zone(text):
    return f'zone "example.org" {{ {text} }};'


# Configurations of BIND 9.18's, sound and unsound: named-checkconf is asked which.
# fmt: off
AGREED = {
    "empty": '',
    "comments": '// a\n# b\n/* c\n d */ options { /* x */ recursion no; // y\n };',
    "comment not closed": '/* a',
    "no semicolon at the end": 'options { recursion no; }',
    "missing semicolon": options('recursion no'),
    "missing brace": 'options { recursion no;',
    "extra brace": options('recursion no; };'),
    "unknown statement": 'optoins { };',
    "unknown option": options('recusion no;'),
    "twice": options('recursion no; recursion no;'),
    "options twice": 'options { }; options { };',
    "boolean": options('recursion maybe;'),
    "boolean 1": options('recursion 1; querylog true; minimal-any False;'),
    "unquoted path": options('directory /tmp;'),
    "quoted path": options('directory "/tmp";'),
    "string with newline": 'options { version "a\nb"; };',
    "escaped quote": options('version "a\\"b";'),
    "backslash": options('version "a\\b";'),
    "no value": options('recursion;'),
    "two values": options('recursion no no;'),
    "negative": options('tcp-clients -1;'),
    "big number": options('tcp-clients 99999999999;'),
    "tcp-clients 0": options('tcp-clients 0;'),
    "port": options('port 5353;'),
    "port 0": options('port 0;'),
    "port 70000": options('port 70000;'),
    "port word": options('port domain;'),
    "listen": options('listen-on { any; }; listen-on-v6 { none; };'),
    "listen port": options('listen-on port 5353 { 127.0.0.1; }; listen-on port 5354 { 127.0.0.1; };'),
    "listen bad port": options('listen-on port 70000 { any; };'),
    "listen tls": options('listen-on port 853 tls ephemeral { any; };'),
    "listen tls undefined": options('listen-on port 853 tls nosuch { any; };'),
    "listen not acl": options('listen-on any;'),
    "edns small": options('edns-udp-size 100;'),
    "edns big": options('edns-udp-size 8000;'),
    "max-udp 4096": options('max-udp-size 4096;'),
    "max-udp small": options('max-udp-size 100;'),
    "idle timeout": options('tcp-idle-timeout 300;'),
    "idle timeout 0": options('tcp-idle-timeout 0;'),
    "idle timeout 1201": options('tcp-idle-timeout 1201;'),
    "initial timeout 24": options('tcp-initial-timeout 24;'),
    "keepalive 70000": options('tcp-keepalive-timeout 70000;'),
    "advertised 0": options('tcp-advertised-timeout 0;'),
    "keepalive 0": options('tcp-keepalive-timeout 0;'),
    "listen queue": options('tcp-listen-queue 1;'),
    "pid none": options('pid-file none;'),
    "pid quoted": options('pid-file "/tmp/x.pid";'),
    "pid unquoted": options('pid-file /tmp/x;'),
    "session": options('session-keyfile none; session-keyname "x"; session-keyalg hmac-sha256;'),
    "server-id": options('server-id hostname;'),
    "server-id none": options('server-id none;'),
    "server-id q": options('server-id "x";'),
    "hostname none": options('hostname none;'),
    "version none": options('version none;'),
    "cookie secret": options('cookie-secret "00112233445566778899aabbccddeeff";'),
    "cookie secret short": options('cookie-secret "0011";'),
    "cookie secret bad": options('cookie-secret "zz112233445566778899aabbccddeeff";'),
    "transfer sizes": options('transfer-message-size 20480; transfers-in 5; transfers-out 5; transfers-per-ns 2;'),
    "transfer message big": options('transfer-message-size 70000;'),
    "transfer message small": options('transfer-message-size 100;'),
    "notify rates": options('notify-rate 10; startup-notify-rate 10; serial-query-rate 5;'),
    "resolver things": options('forwarders { 192.0.2.1; }; forward only; dnssec-validation auto; empty-zones-enable no; max-cache-size 50%; recursive-clients 100; prefetch 2 9; qname-minimization relaxed;'),
    "resolver cache": options('max-cache-size 10m; max-cache-ttl 1h; max-ncache-ttl 10; stale-answer-enable yes; allow-recursion { localnets; }; allow-query-cache { any; };'),
    "forwarders bad": options('forwarders { foo; };'),
    "removed": options('dnssec-enable yes;'),
    "removed 2": options('additional-from-auth no;'),
    "filter-aaaa removed": options('filter-aaaa-on-v4 yes;'),
    "dnssec-lookaside": options('dnssec-lookaside auto;'),
    "obsolete": options('dnskey-sig-validity 10; sig-validity-interval 30;'),
    "coresize": options('coresize 10m;'),
    "random-device": options('random-device none;'),
    "size bad": options('coresize 10x;'),
    "stacksize default": options('stacksize default;'),
    "files unlimited": options('files unlimited;'),
    "max-journal": options('max-journal-size 10M;'),
    "max-journal default": options('max-journal-size default;'),
    "max-journal unlimited": options('max-journal-size unlimited;'),
    "ixfr ratio": options('max-ixfr-ratio 50%;'),
    "ixfr ratio no percent": options('max-ixfr-ratio 50;'),
    "ixfr unlimited": options('max-ixfr-ratio unlimited;'),
    "duration": options('max-cache-ttl 1h30m; lame-ttl PT5M;'),
    "duration bad": options('max-cache-ttl 1x;'),
    "duration 1h30": options('max-cache-ttl 1h30;'),
    "duration order": options('max-cache-ttl 30m1h;'),
    "duration iso order": options('max-cache-ttl PT5S3M;'),
    "duration iso week": options('max-cache-ttl P2W;'),
    "duration lower": options('max-cache-ttl pt5m;'),
    "duration mixed week": options('max-cache-ttl P1W1D;'),
    "duration repeat": options('max-cache-ttl 1h1h;'),
    "acl": options('allow-query { any; none; localhost; localnets; 10/8; 192.0.2.1; !192.0.2.2; 2001:db8::/32; ::1; { 1.2.3.4; !5.6.7.8; }; };'),
    "acl incomplete": options('allow-query { 10; };'),
    "acl partial prefix": options('allow-query { 10.1/16; };'),
    "acl mismatch": options('allow-query { 10.1.1.1/8; };'),
    "acl big prefix": options('allow-query { 10/33; };'),
    "acl v6 mismatch": options('allow-query { 2001:db8::1/32; };'),
    "acl v6 big": options('allow-query { ::/129; };'),
    "acl undefined": options('allow-query { nosuch; };'),
    "acl no semicolon": options('allow-query { any };'),
    "acl empty": options('allow-query { };'),
    "acl double not": options('allow-query { !!any; };'),
    "acl not block": options('allow-query { !{ 10/8; }; };'),
    "acl octal": options('allow-query { 010/8; };'),
    "acl 256": options('allow-query { 256/8; };'),
    "acl key block": options('allow-query { key { a; }; };'),
    "acl trailing dot": options('allow-query { 10./8; };'),
    "acl 4 octets/8 zero": options('allow-query { 10.0.0.0/8; };'),
    "acl key": KEY + options('allow-transfer { key k; };'),
    "acl key quoted": KEY + options('allow-transfer { key "K."; };'),
    "acl named": 'acl a { b; 10/8; }; acl b { 192.0.2.1; }; options { allow-query { !a; any; }; };',
    "acl quoted name": 'acl "a b" { 10/8; }; options { allow-query { "a b"; }; };',
    "acl loop": 'acl a { b; }; acl b { a; }; options { allow-query { a; }; };',
    "acl self": 'acl a { a; }; options { allow-query { a; }; };',
    "acl twice": 'acl a { any; }; acl a { none; };',
    "acl builtin": 'acl any { none; };',
    "acl localhost": 'acl localhost { none; };',
    "acl unused bad": 'acl a { nosuch; };',
    "directory not there": options('directory "/nosuch";'),
    "directory empty": options('directory "";'),
    "directory is a file": options('directory "/etc/passwd";'),
    "key-directory not there": options('key-directory "/nosuch";'),
    "ixfr ratio 0": options('max-ixfr-ratio 0%;'),
    "ixfr ratio over 100": options('max-ixfr-ratio 101%;'),
    "check-names kind twice": options('check-names primary warn; check-names master fail;'),
    "check-names kinds": options('check-names primary warn; check-names secondary fail; check-names response ignore;'),
    "qps-scale 0": options('rate-limit { qps-scale 0; };'),
    "heartbeat out of range": options('heartbeat-interval 40321;'),
    "interface-interval out of range": options('interface-interval 40321;'),
    "interface-interval": options('interface-interval P1D;'),
    "sig-validity 0": options('sig-validity-interval 0;'),
    "sig-validity 3661": options('sig-validity-interval 3661;'),
    "dnskey-sig-validity 3661": options('dnskey-sig-validity 3661;'),
    "source port of the server": options('port 5300; transfer-source 192.0.2.1 port 5300;'),
    "source port 53": options('notify-source * port 53;'),
    "source port 53 elsewhere": options('port 5300; notify-source-v6 * port 53; parental-source * port 54;'),
    "source port in a server": 'server 192.0.2.1 { transfer-source * port 53; };',
    "primaries dscp": zone('type secondary; primaries port 53 dscp 4 { 192.0.2.1; };'),
    "list name case": 'masters y { 192.0.2.1; }; zone "z" { type slave; masters { Y; }; };',
    "list name case twice": 'masters y { 192.0.2.1; }; masters Y { 192.0.2.1; };',
    "case of names": 'tls T { cert-file "/a"; key-file "/b"; }; http H { endpoints { "/x"; }; }; '
        'logging { channel C { stderr; }; category default { c; DEFAULT_STDERR; }; }; '
        'options { listen-on port 853 tls t http h { any; }; }; zone "z" { type secondary; primaries { 192.0.2.1 tls t; }; };',
    "case of a tls twice": 'tls t { cert-file "/a"; key-file "/b"; }; tls T { cert-file "/a"; key-file "/b"; };',
    "server limits 0": 'server 192.0.2.1 { transfers 0; };',
    "channel file order": 'logging { channel c { file "x" size 10m versions 3; }; };',
    "channel file twice": 'logging { channel c { file "x" size 10m size 10m; }; };',
    "channel file suffix first": 'logging { channel c { file "x" suffix increment versions unlimited; }; };',
    "view _default": 'view _default { };',
    "view named any": 'view any { };',
    "parental-agents empty": zone(PRIMARY + 'parental-agents { };'),
    "also-notify empty": zone(PRIMARY + 'also-notify { };'),
    "update-policy 6to4 name": zone(PRIMARY + 'update-policy { grant * 6to4-self x NS; };'),
    "update-policy krb5-selfsub": zone(PRIMARY + 'update-policy { grant R krb5-selfsub . A; };'),
    "update-policy krb5-subdomain-self-rhs": zone(PRIMARY + 'update-policy { grant R krb5-subdomain-self-rhs x PTR; };'),
    "update-policy krb5-self name": zone(PRIMARY + 'update-policy { grant R krb5-self x A; };'),
    "update-policy ms-selfsub realm": zone(PRIMARY + 'update-policy { grant R ms-selfsub R A; };'),
    "NUL in a comment": '# a\0b',
    "NUL in a word": 'opt\0ions { };',
    "NUL alone": '\0',
    "byte order mark": '\ufeffoptions { };',
    "CRLF": 'options {\r\n recursion no;\r\n};\r',
    "no end of a line": 'options { }; //',
    "slash alone": 'options { }; /',
    "many braces": 'options ' + '{ ' * 100_000,
    "many zones open": 'zone x { ' * 50_000,
    "long comment": '#' + 'a' * 10_000_000,
    "long word": 'a' * 1_000_000,
    "large acl": 'acl a { ' + ''.join(f'10.{i >> 8}.{i & 255}.1; ' for i in range(65536)) + '}; options { allow-query { a; }; };',
    "garbage": 'foo bar;\n' * 100_000,
    "include in a circle": 'include "loop1.conf";',
    "include itself": 'include "t.conf";',
    "include a folder": 'include "/etc";',
    "include a broken link": 'include "dangling.conf";',
    "include with an open comment": 'include "comment.conf"; */',
    "include with a brace too many": 'options { include "brace.conf"; recursion no; };',
    "acl case": 'acl Abc { any; }; options { allow-query { abc; }; };',
    "any case": options('allow-query { ANY; };'),
    "key": KEY,
    "key no secret": 'key k { algorithm hmac-sha256; };',
    "key no algorithm": 'key k { secret "YWJj"; };',
    "key bad secret": 'key k { algorithm hmac-sha256; secret "***"; };',
    "key bad algorithm": 'key k { algorithm hmac-foo; secret "YWJj"; };',
    "key truncated": 'key k { algorithm hmac-sha256-128; secret "YWJj"; };',
    "key truncated odd": 'key k { algorithm hmac-sha256-130; secret "YWJj"; };',
    "key twice": KEY + 'key "k" { algorithm hmac-sha256; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };',
    "key twice different": KEY + 'key "k" { algorithm hmac-sha256; secret "OTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };',
    "key name": 'key "a..b" { algorithm hmac-sha256; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };',
    "key truncated 300": 'key k { algorithm hmac-sha256-300; secret "YWJj"; };',
    "logging": 'logging { channel c { file "x" versions 3 size 10m suffix timestamp; severity debug 3; print-time iso8601; print-category yes; }; category default { c; }; category queries { null; }; };',
    "logging undefined": 'logging { category default { nosuch; }; };',
    "logging unknown category": 'logging { category nosuch { null; }; };',
    "channel none": 'logging { channel c { severity info; }; };',
    "channel two": 'logging { channel c { file "x"; stderr; }; };',
    "syslog": 'logging { channel c { syslog local3; }; };',
    "severity bad": 'logging { channel c { stderr; severity loud; }; };',
    "channel builtin name": 'logging { channel default_syslog { stderr; }; };',
    "syslog alone": 'logging { channel c { syslog; severity dynamic; }; };',
    "category empty": 'logging { category queries { }; };',
    "logging twice": 'logging { }; logging { };',
    "print-time bad": 'logging { channel c { stderr; print-time maybe; }; };',
    "channel named null": 'logging { channel null { stderr; }; };',
    "category twice": 'logging { category queries { null; }; category queries { default_stderr; }; };',
    "file size unlimited": 'logging { channel c { file "x" size unlimited; }; };',
    "severity debug": 'logging { channel c { stderr; severity debug; }; };',
    "controls": KEY + 'controls { inet 127.0.0.1 port 953 allow { localhost; } keys { k; }; };',
    "controls none": 'controls { };',
    "controls star": 'controls { inet * allow { any; }; };',
    "controls no allow": 'controls { inet 127.0.0.1; };',
    "controls key undefined": 'controls { inet 127.0.0.1 allow { any; } keys { nosuch; }; };',
    "controls read-only": KEY + 'controls { inet ::1 port * allow { any; } keys { "k"; } read-only yes; };',
    "controls name": 'controls { inet localhost allow { any; }; };',
    "primary": zone(PRIMARY),
    "master": zone('type master; file "x";'),
    "no type": zone('file "x";'),
    "bad type": zone('type foo; file "x";'),
    "no file": zone('type primary;'),
    "file unquoted": zone('type primary; file x.db;'),
    "class": zone(PRIMARY),
    "class IN": 'zone "a" IN { type primary; file "x"; };',
    "class CH": 'zone "a" CH { type primary; file "x"; };',
    "class bad": 'zone "a" XX { type primary; file "x"; };',
    "zone unquoted": 'zone example.org { type primary; file "x"; };',
    "zone bad name": 'zone "a..b" { type primary; file "x"; };',
    "zone root": 'zone "." { type primary; file "x"; };',
    "zone twice": 'zone "a" { type primary; file "x"; }; zone "A." { type primary; file "y"; };',
    "zone long label": 'zone "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" { type primary; file "x"; };',
    "zone slash quoted": 'zone "0/25.2.0.192.in-addr.arpa" { type primary; file "x"; };',
    "same file": 'zone "a" { type primary; file "x"; }; zone "b" { type primary; file "x"; };',
    "same file dynamic": 'zone "a" { type primary; file "x"; allow-update { any; }; }; zone "b" { type primary; file "x"; };',
    "same file secondary": 'zone "a" { type secondary; primaries { 192.0.2.1; }; file "x"; }; zone "b" { type primary; file "x"; };',
    "secondary": zone('type secondary; primaries { 192.0.2.1; };'),
    "secondary no primaries": zone('type secondary; file "x";'),
    "slave masters": zone('type slave; masters { 192.0.2.1 port 5353; 2001:db8::1; }; file "x";'),
    "both": zone('type slave; masters { 192.0.2.1; }; primaries { 192.0.2.1; };'),
    "primaries empty": zone('type secondary; primaries { };'),
    "primaries key": KEY + zone('type secondary; primaries { 192.0.2.1 key k; };'),
    "primaries undefined list": zone('type secondary; primaries { nosuch; };'),
    "primaries list": 'primaries l { 192.0.2.1; m; }; primaries m { 192.0.2.2 port 54; };zone "example.org" { type secondary; primaries { l; }; };',
    "primaries list loop": 'primaries l { m; }; primaries m { l; };zone "example.org" { type secondary; primaries { l; }; };',
    "primaries tls": zone('type secondary; primaries { 192.0.2.1 tls ephemeral; };'),
    "primaries tls undefined": zone('type secondary; primaries { 192.0.2.1 tls nosuch; };'),
    "primaries port list": 'primaries l { 192.0.2.1; };zone "example.org" { type secondary; primaries { l port 53; }; };',
    "primaries port head": zone('type secondary; primaries port 5353 { 192.0.2.1; };'),
    "tls then key": KEY + zone('type secondary; primaries { 192.0.2.1 tls ephemeral key k; };'),
    "primaries on primary": zone(PRIMARY + 'primaries { 192.0.2.1; };'),
    "list twice": 'primaries l { 192.0.2.1; }; primaries l { 192.0.2.2; };',
    "list unused bad": 'primaries l { nosuch; };',
    "allow-update on secondary": zone('type secondary; primaries { 192.0.2.1; }; allow-update { any; };'),
    "allow-notify on primary": zone(PRIMARY + 'allow-notify { any; };'),
    "forwarding on primary": zone(PRIMARY + 'allow-update-forwarding { any; };'),
    "journal": zone(PRIMARY + 'journal "x.jnl";'),
    "update-policy on secondary": zone('type secondary; primaries { 192.0.2.1; }; update-policy local;'),
    "hint": zone('type hint; file "x";'),
    "forward": zone('type forward; forwarders { 192.0.2.1; };'),
    "stub": zone('type stub; primaries { 192.0.2.1; };'),
    "static-stub": zone('type static-stub; server-addresses { 192.0.2.1; };'),
    "delegation-only": zone('type delegation-only;'),
    "mirror": zone('type mirror; primaries { 192.0.2.1; };'),
    "hint allow-update": zone('type hint; file "x"; allow-update { any; };'),
    "updates both": zone(PRIMARY + 'allow-update { any; }; update-policy local;'),
    "update-policy name": KEY + zone(PRIMARY + 'update-policy { grant k name www.example.org A; };'),
    "update-policy zonesub": KEY + zone(PRIMARY + 'update-policy { grant k zonesub; };'),
    "update-policy zonesub types": KEY + zone(PRIMARY + 'update-policy { grant k zonesub A AAAA; };'),
    "update-policy zonesub any": KEY + zone(PRIMARY + 'update-policy { grant k zonesub ANY; };'),
    "update-policy subdomain": KEY + zone(PRIMARY + 'update-policy { deny k subdomain a.example.org TXT; };'),
    "update-policy wildcard": KEY + zone(PRIMARY + 'update-policy { grant k wildcard *.example.org; };'),
    "update-policy wildcard bad": KEY + zone(PRIMARY + 'update-policy { grant k wildcard example.org; };'),
    "update-policy self": KEY + zone(PRIMARY + 'update-policy { grant * self * A; };'),
    "update-policy self dot": KEY + zone(PRIMARY + 'update-policy { grant k self . A; };'),
    "update-policy self other": KEY + zone(PRIMARY + 'update-policy { grant k self foo A; };'),
    "update-policy self none": KEY + zone(PRIMARY + 'update-policy { grant k self; };'),
    "update-policy bad match": KEY + zone(PRIMARY + 'update-policy { grant k foo x; };'),
    "update-policy no match": KEY + zone(PRIMARY + 'update-policy { grant k; };'),
    "update-policy bad type": KEY + zone(PRIMARY + 'update-policy { grant k zonesub FOO; };'),
    "update-policy bad name": KEY + zone(PRIMARY + 'update-policy { grant k name a..b; };'),
    "update-policy undefined key": KEY + zone(PRIMARY + 'update-policy { grant nosuch zonesub; };'),
    "update-policy bad word": KEY + zone(PRIMARY + 'update-policy { allow k zonesub; };'),
    "update-policy selfsub": KEY + zone(PRIMARY + 'update-policy { grant *.example.org selfsub . A; };'),
    "update-policy selfwild": KEY + zone(PRIMARY + 'update-policy { grant k selfwild k A; };'),
    "update-policy ms-self": KEY + zone(PRIMARY + 'update-policy { grant EXAMPLE.COM ms-self . A; };'),
    "update-policy ms-self name": KEY + zone(PRIMARY + 'update-policy { grant EXAMPLE.COM ms-self foo A; };'),
    "update-policy ms-subdomain": KEY + zone(PRIMARY + 'update-policy { grant EXAMPLE.COM ms-subdomain example.org A; };'),
    "update-policy krb5-self": KEY + zone(PRIMARY + 'update-policy { grant EXAMPLE.COM krb5-self . A; };'),
    "update-policy tcp-self": KEY + zone(PRIMARY + 'update-policy { grant * tcp-self . PTR; };'),
    "update-policy tcp-self types any": KEY + zone(PRIMARY + 'update-policy { grant * tcp-self . PTR ANY; };'),
    "update-policy 6to4": KEY + zone(PRIMARY + 'update-policy { grant * 6to4-self . NS DNAME; };'),
    "update-policy external": KEY + zone(PRIMARY + 'update-policy { grant "local:/x" external * A; };'),
    "update-policy external denied": KEY + zone(PRIMARY + 'update-policy { deny "local:/x" external . A; grant k zonesub; };'),
    "update-policy external alone": KEY + zone(PRIMARY + 'update-policy { grant "local:/x" external; };'),
    "update-policy external far": KEY + zone(PRIMARY + 'update-policy { deny "local:/' + 'x' * 107 + '" external .; grant k zonesub; };'),
    "update-policy empty": KEY + zone(PRIMARY + 'update-policy {  };'),
    "update-policy type number": KEY + zone(PRIMARY + 'update-policy { grant k zonesub TYPE65280; };'),
    "update-policy krb5-subdomain": KEY + zone(PRIMARY + 'update-policy { grant EXAMPLE.COM krb5-subdomain a. A; };'),
    "update-policy ms-selfsub": KEY + zone(PRIMARY + 'update-policy { grant EXAMPLE.COM ms-selfsub . A; };'),
    "update-policy ms-subdomain-self-rhs": KEY + zone(PRIMARY + 'update-policy { grant X ms-subdomain-self-rhs example.org SRV; };'),
    "update-policy tcp-self name": KEY + zone(PRIMARY + 'update-policy { grant * tcp-self foo PTR; };'),
    "update-policy local": zone(PRIMARY + 'update-policy local;'),
    "update-policy word": zone(PRIMARY + 'update-policy foo;'),
    "allow-update": zone(PRIMARY + 'allow-update { 127.0.0.1; !10/8; };'),
    "allow-transfer port": zone(PRIMARY + 'allow-transfer port 853 transport tls { any; };'),
    "allow-transfer transport bad": zone(PRIMARY + 'allow-transfer transport foo { any; };'),
    "also-notify": KEY + zone(PRIMARY + 'also-notify { 192.0.2.1 port 54 key k; };'),
    "notify": zone(PRIMARY + 'notify explicit;'),
    "notify bad": zone(PRIMARY + 'notify sometimes;'),
    "notify-source": zone(PRIMARY + 'notify-source 192.0.2.1; notify-source-v6 ::1;'),
    "notify-source wrong family": zone(PRIMARY + 'notify-source ::1;'),
    "transfer-source on primary": zone(PRIMARY + 'transfer-source *;'),
    "transfer-source": zone('type secondary; primaries { 192.0.2.1; }; transfer-source * ; transfer-source-v6 *;'),
    "notify primary-only": zone(PRIMARY + 'notify primary-only; notify-to-soa yes; notify-delay 3;'),
    "checks": zone(PRIMARY + 'check-names warn; check-mx fail; check-integrity no; check-mx-cname ignore; check-srv-cname warn; check-dup-records ignore; check-wildcard no; check-sibling yes; check-spf ignore;'),
    "check-names kind": zone(PRIMARY + 'check-names primary warn;'),
    "check-names": options('check-names primary warn; check-names secondary ignore;'),
    "check-names no kind": options('check-names warn;'),
    "check-mx bad": options('check-mx maybe;'),
    "check-spf fail": zone(PRIMARY + 'check-spf fail;'),
    "check-wildcard warn": zone(PRIMARY + 'check-wildcard warn;'),
    "serial": zone(PRIMARY + 'serial-update-method unixtime;'),
    "serial bad": zone(PRIMARY + 'serial-update-method foo;'),
    "max-zone-ttl": zone(PRIMARY + 'max-zone-ttl 1d;'),
    "max-zone-ttl unlimited": zone(PRIMARY + 'max-zone-ttl unlimited;'),
    "loadkeys": zone(PRIMARY + 'dnssec-loadkeys-interval 5;'),
    "loadkeys 0": zone(PRIMARY + 'dnssec-loadkeys-interval 0;'),
    "loadkeys 1441": zone(PRIMARY + 'dnssec-loadkeys-interval 1441;'),
    "sig type": zone(PRIMARY + 'sig-signing-type 65280;'),
    "sig type low": zone(PRIMARY + 'sig-signing-type 100;'),
    "sig nodes 0": zone(PRIMARY + 'sig-signing-nodes 0;'),
    "sig nodes": zone(PRIMARY + 'sig-signing-nodes 10; sig-signing-signatures 5;'),
    "max-refresh 0": zone('type secondary; primaries { 192.0.2.1; }; max-refresh-time 0;'),
    "refresh": zone('type secondary; primaries { 192.0.2.1; }; min-refresh-time 10; max-retry-time 20;'),
    "transfer-time": zone(PRIMARY + 'max-transfer-time-out 60;'),
    "transfer-time 0": zone(PRIMARY + 'max-transfer-time-out 0;'),
    "transfer-time big": zone(PRIMARY + 'max-transfer-time-out 50000;'),
    "records": zone(PRIMARY + 'max-records 100; max-records-per-type 10; max-types-per-name 3;'),
    "zone-statistics": zone(PRIMARY + 'zone-statistics terse;'),
    "format text": zone(PRIMARY + 'masterfile-format text; masterfile-style full;'),
    "ixfr diffs": zone(PRIMARY + 'ixfr-from-differences yes;'),
    "ixfr diffs primary": options('ixfr-from-differences primary;'),
    "ixfr diffs word": zone(PRIMARY + 'ixfr-from-differences primary;'),
    "dialup": zone(PRIMARY + 'dialup notify;'),
    "minimal-responses in zone": zone(PRIMARY + 'minimal-responses yes;'),
    "minimal": options('minimal-responses no-auth;'),
    "recursion in zone": zone(PRIMARY + 'recursion no;'),
    "file in options": options('file "x";'),
    "zone option twice": zone(PRIMARY + 'file "y";'),
    "policy": POLICY + zone(PRIMARY + 'dnssec-policy p; inline-signing yes;'),
    "policy default": zone(PRIMARY + 'dnssec-policy default; inline-signing yes;'),
    "policy none": zone(PRIMARY + 'dnssec-policy none;'),
    "policy insecure": zone(PRIMARY + 'dnssec-policy insecure; inline-signing yes;'),
    "policy unknown": zone(PRIMARY + 'dnssec-policy nosuch; inline-signing yes;'),
    "policy case": POLICY + zone(PRIMARY + 'dnssec-policy P; inline-signing yes;'),
    "policy dynamic": POLICY + zone(PRIMARY + 'dnssec-policy p; allow-update { any; };'),
    "policy not inline": POLICY + zone(PRIMARY + 'dnssec-policy p; inline-signing no;'),
    "inline no policy": zone(PRIMARY + 'inline-signing yes;'),
    "policy after use": 'zone "a" { type primary; file "x.db"; dnssec-policy p; inline-signing yes; };\ndnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; };',
    "policy on secondary": POLICY + zone('type secondary; primaries { 192.0.2.1; }; file "x"; dnssec-policy p; inline-signing yes;'),
    "secondary policy no file": POLICY + zone('type secondary; primaries { 192.0.2.1; }; dnssec-policy p; inline-signing yes;'),
    "policy in options": options('dnssec-policy default;'),
    "policy twice": 'dnssec-policy "p" { };dnssec-policy "p" {  };',
    "policy reserved": 'dnssec-policy "default" { };',
    "policy reserved none": 'dnssec-policy none { };',
    "policy all": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; dnskey-ttl 600; max-zone-ttl 0; parent-ds-ttl 1d; parent-propagation-delay 1h; publish-safety 1h; purge-keys 0; retire-safety 1h; signatures-jitter 1h; signatures-refresh P3D; signatures-validity P14D; signatures-validity-dnskey P10D; zone-propagation-delay 5m; nsec3param iterations 0 optout yes salt-length 8; };',
    "policy nsec3": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; nsec3param; };',
    "policy nsec3 iterations 0": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; nsec3param iterations 0; };',
    "policy nsec3 salt": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; nsec3param salt-length 256; };',
    "policy nsec3 order": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; nsec3param salt-length 8 iterations 0; };',
    "policy nsec3 rsasha1": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 5; }; nsec3param; };',
    "policy refresh": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; signatures-refresh P13D; signatures-validity P14D; };',
    "policy refresh 90": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; signatures-refresh 9d; signatures-validity 10d; signatures-validity-dnskey 100d; };',
    "policy refresh dnskey": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; signatures-validity-dnskey 5d; };',
    "policy jitter": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; signatures-jitter 20d; };',
    "policy no keys": 'dnssec-policy "p" {  };',
    "policy keys twice": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; keys { csk lifetime unlimited algorithm 13; };  };',
    "policy key ksk zsk": 'dnssec-policy "p" { keys { ksk lifetime unlimited algorithm ecdsap256sha256; zsk lifetime P90D algorithm ECDSAP256SHA256; }; };',
    "policy key ksk only": 'dnssec-policy "p" { keys { ksk lifetime unlimited algorithm 13; }; };',
    "policy key zsk only": 'dnssec-policy "p" { keys { zsk lifetime 60d algorithm 13; }; };',
    "policy key two algorithms": 'dnssec-policy "p" { keys { ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 8; }; };',
    "policy key two ksk": 'dnssec-policy "p" { keys { ksk lifetime unlimited algorithm 13; ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; }; };',
    "policy key csk and zsk": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; }; };',
    "policy key no lifetime": 'dnssec-policy "p" { keys { csk algorithm 13; }; };',
    "policy key no algorithm": 'dnssec-policy "p" { keys { csk lifetime unlimited; }; };',
    "policy key bad algorithm": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm foo; }; };',
    "policy key bad role": 'dnssec-policy "p" { keys { kzk lifetime unlimited algorithm 13; }; };',
    "policy key rsa": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm rsasha256 2048; }; };',
    "policy key rsa default": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 8; }; };',
    "policy key rsa small": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 8 512; }; };',
    "policy key rsa big": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 8 8192; }; };',
    "policy key rsa 10": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm rsasha512 1024; }; };',
    "policy key ec length": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13 256; }; };',
    "policy key lifetime short": 'dnssec-policy "p" { keys { csk lifetime 20d algorithm 13; }; };',
    "policy key lifetime too short": 'dnssec-policy "p" { keys { csk lifetime 1d algorithm 13; }; };',
    "policy key lifetime zsk too short": 'dnssec-policy "p" { keys { ksk lifetime unlimited algorithm 13; zsk lifetime 10d algorithm 13; }; };',
    "policy key lifetime iso": 'dnssec-policy "p" { keys { csk lifetime P1Y algorithm 13; }; };',
    "policy key lifetime bad": 'dnssec-policy "p" { keys { csk lifetime forever algorithm 13; }; };',
    "policy key lifetime 0": 'dnssec-policy "p" { keys { csk lifetime 0 algorithm 13; }; };',
    "policy key key-directory": 'dnssec-policy "p" { keys { csk key-directory lifetime unlimited algorithm 13; }; };',
    "policy key ed25519": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm ed25519; }; };',
    "policy key ed448": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 16; }; };',
    "policy key alg 7": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm nsec3rsasha1; }; };',
    "policy key alg 300": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 300; }; };',
    "policy key trailing": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13 256 foo; }; };',
    "policy key alg short name": 'dnssec-policy "p" { keys { csk lifetime unlimited algorithm ecdsa256; }; };',
    "policy key zsk lifetime edge": 'dnssec-policy "p" { keys { ksk lifetime unlimited algorithm 13; zsk lifetime 868200 algorithm 13; }; };',
    "policy key zsk lifetime edge+": 'dnssec-policy "p" { keys { ksk lifetime unlimited algorithm 13; zsk lifetime 868201 algorithm 13; }; };',
    "policy key ksk lifetime edge": 'dnssec-policy "p" { keys { ksk lifetime 93600 algorithm 13; zsk lifetime unlimited algorithm 13; }; };',
    "policy key ksk lifetime edge+": 'dnssec-policy "p" { keys { ksk lifetime 93601 algorithm 13; zsk lifetime unlimited algorithm 13; }; };',
    "view": 'view a { match-clients { 10/8; }; zone "x" { type primary; file "x.db"; }; }; view b { zone "x" { type primary; file "y"; }; };',
    "zone outside view": 'view a { }; zone "x" { type primary; file "x.db"; };',
    "view twice": 'view a { }; view a { };',
    "view class": 'view a CH { zone "x" CH { type primary; file "x.db"; }; };',
    "view wrong class": 'view a { zone "x" CH { type primary; file "x.db"; }; };',
    "in-view": 'view a { zone "x" { type primary; file "x.db"; }; }; view b { zone "x" { in-view a; }; };',
    "in-view unknown": 'view b { zone "x" { in-view a; }; };',
    "in-view no zone": 'view a { }; view b { zone "x" { in-view a; }; };',
    "in-view forward": 'view b { zone "x" { in-view a; }; }; view a { zone "x" { type primary; file "x.db"; }; };',
    "in-view extra": 'view a { zone "x" { type primary; file "x.db"; }; }; view b { zone "x" { in-view a; file "y"; }; };',
    "view key": 'view a { key "k" { algorithm hmac-sha256; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };\n zone "x" { type primary; file "x.db";  allow-update { key k; }; }; };',
    "view directory": 'view a { directory "/tmp"; };',
    "view options": 'view a { recursion no; match-recursive-only no; match-destinations { any; }; allow-query { any; }; minimal-any yes; };',
    "view same file dynamic": 'view a { zone "x" { type primary; file "x.db"; allow-update { any; }; }; }; view b { zone "x" { type primary; file "x.db"; allow-update { any; }; }; };',
    "view policies": 'dnssec-policy q { };dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; };\nview a { zone "x" { type primary; file "x.db"; dnssec-policy p; inline-signing yes; }; }; view b { zone "x" { type primary; file "y"; dnssec-policy q; inline-signing yes; }; };',
    "view policies same": POLICY + 'view a { zone "x" { type primary; file "x.db"; dnssec-policy p; inline-signing yes; }; }; view b { zone "x" { type primary; file "y"; dnssec-policy p; inline-signing yes; }; };',
    "in-view self": 'view a { zone "x" { in-view a; }; };',
    "server": KEY + 'server 192.0.2.1 { keys k; request-ixfr no; bogus no; transfer-format one-answer; edns-udp-size 512; };',
    "server prefix": 'server 10/8 { tcp-only yes; };',
    "server bad": 'server foo { };',
    "server two keys": KEY + 'server 192.0.2.1 { keys { k; k; }; };',
    "server key undefined": 'server 192.0.2.1 { keys nosuch; };',
    "server twice": 'server 192.0.2.1 { }; server 192.0.2.1 { };',
    "server keys block": KEY + 'server 192.0.2.1 { keys { k; }; };',
    "tls": 'tls t { cert-file "/a"; key-file "/b"; protocols { TLSv1.2; TLSv1.3; }; };',
    "tls cert only": 'tls t { cert-file "/a"; };',
    "tls protocol bad": 'tls t { cert-file "/a"; key-file "/b"; protocols { TLSv1.1; }; };',
    "tls reserved": 'tls ephemeral { cert-file "/a"; key-file "/b"; };',
    "tls twice": 'tls t { cert-file "/a"; key-file "/b"; }; tls t { cert-file "/a"; key-file "/b"; };',
    "tls none": 'tls none { };',
    "tls protocol case": 'tls t { cert-file "/a"; key-file "/b"; protocols { tlsv1.3; }; };',
    "http": 'http h { endpoints { "/dns-query"; }; };',
    "http relative": 'http h { endpoints { "dns-query"; }; };',
    "http twice": 'http h { }; http h { };',
    "http default": 'http default { endpoints { "/x"; }; };',
    "http listen": 'http h { endpoints { "/x"; }; }; options { listen-on port 8053 tls none http h { any; }; };',
    "http listen undefined": options('listen-on port 8053 tls none http h { any; };'),
    "rate-limit": options('rate-limit { responses-per-second 10; window 5; slip 2; exempt-clients { localhost; }; };'),
    "rate-limit slip": options('rate-limit { slip 11; };'),
    "rate-limit rps": options('rate-limit { responses-per-second 1001; };'),
    "rate-limit window 0": options('rate-limit { window 0; };'),
    "rate-limit v4": options('rate-limit { ipv4-prefix-length 33; };'),
    "rate-limit tables": options('rate-limit { min-table-size 100; max-table-size 10; };'),
    "rate-limit prefix 0": options('rate-limit { ipv4-prefix-length 0; };'),
    "statistics": 'statistics-channels { inet 127.0.0.1 port 8053 allow { localhost; }; };',
    "trust-anchors": 'trust-anchors { "." static-key 257 3 8 "AwEAAagAIKlVZrpC6Ia7gEzahOR+9W29euxhJhVVLOyQbSEW0O8gcCjFFVQUTf6v58fLjwBd0YI0EzrAcQqBGCzh/RStIoO8g0NfnfL2MTJRkxoXbfDaUeVPQuYEhg37NZWAJQ9VnMVDxP/VHL496M/QZxkjf5/Efucp2gaDX6RS6CXpoY68LsvPVjR0ZSwzz1apAzvN9dlzEheX7ICJBBtuA6G3LQpzW5hOA2hzCTMjJPJ8LbqF6dsV6DoBQzgul0sGIcGOYl7OyQdXfZ57relSQageu+ipAdTTJ25AsRTAoub8ONGcLmqrAmRLKBP1dfwhYB4N7knNnulqQxA+Uk1ihz0="; };',
    "managed-keys empty": 'managed-keys { };',
    "dlz": 'dlz x { database "y"; };',
    "dyndb": 'dyndb d "x.so" { foo; bar { baz } };',
    "dns64": options('dns64 64:ff9b::/96 { clients { any; }; };'),
    "disable-algorithms": options('disable-algorithms "a" { RSASHA1; };'),
    "sortlist": options('sortlist { { 10/8; { 10/8; }; }; };'),
    "rrset-order": options('rrset-order { order random; };'),
    "ports": options('use-v4-udp-ports { range 1024 65535; }; avoid-v4-udp-ports { 53; };'),
    "query-source": options('query-source address 192.0.2.1; query-source-v6 *;'),
    "dual-stack": options('dual-stack-servers port 53 { "a.example"; 192.0.2.1 port 54; };'),
    "include": 'include "inc.conf";',
    "include missing": 'include "nosuch.conf";',
    "include glob": 'include "inc*.conf";',
    "include in options": options('include "incopt.conf";'),
    "include two words": 'include "a" "b";',
    "include in zone": 'zone "a" { include "inczone.conf"; };',
    "include glob none": 'include "zzz*.conf";',
    "case": 'OPTIONS { Recursion NO; }; ZONE "a" { TYPE Primary; FILE "x"; };',
    "unterminated string": options('version "abc;'),
    "control character": options('version \x01;'),
    "equals": 'options = { };',
    "slash comment in word": 'options { port 53//x\n; };',
    "hash in word": 'acl a#b { any; };',
    "key-directory": options('key-directory "/tmp";'),
    "blackhole": options('blackhole { 10/8; };'),
    "masters top": 'masters m { 192.0.2.1; };',
    "parental": 'parental-agents l { 192.0.2.1; }; zone "x" { type primary; file "x.db";  parental-agents { l; }; parental-source *; };',
    "allow-new-zones": options('allow-new-zones yes;'),
    "zone name escape": 'zone "a\\.b.example" { type primary; file "x"; };',
    "zone decimal escape": 'zone "a\\046b.example" { type primary; file "x"; };',
    "flush": options('flush-zones-on-shutdown yes; memstatistics yes; zone-statistics full;'),
    "dump files": options('dump-file "a"; statistics-file "b"; memstatistics-file "c"; recursing-file "d"; secroots-file "e";'),
    "notify also no": 'zone "x" { type primary; file "x.db";  notify no; also-notify { 192.0.2.1; }; };',
    "deny-answer": options('deny-answer-addresses { 10/8; } except-from { "a"; };'),
}

# What named-checkconf 9.18 takes and Signet does not, and why.
REFUSED = {
    "key md5": ('key k { algorithm hmac-md5; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };', "RFC 8945 6: MUST NOT be used"),
    "hex number": (options('tcp-clients 0x10;'), "numbers are decimal"),
    "session bad alg": (options('session-keyalg foo;'), "named fails when it starts"),
    "duration iso empty": (options('max-cache-ttl P;'), "a duration of nothing"),
    "duration iso T": (options('max-cache-ttl PT;'), "a duration of nothing"),
    "acl spaced": (options('allow-query { 10 / 8; };'), "a prefix is one word"),
    "key empty secret": ('key k { algorithm hmac-sha256; secret ""; };', "a key that protects nothing"),
    "key truncated 16": ('key k { algorithm hmac-sha256-16; secret "YWJj"; };', "RFC 8945 5.2.2.1 wants 80 bits at least"),
    "channel twice": ('logging { channel c { stderr; }; channel c { null; }; };', "which one?"),
    "syslog bad": ('logging { channel c { syslog foo; }; };', "named fails when it starts"),
    "controls empty keys": ('controls { inet 127.0.0.1 allow { any; } keys { }; };', "nobody could use it"),
    "primaries key undefined": (zone('type secondary; primaries { 192.0.2.1 key nosuch; };'), "named fails when it starts"),
    "list kinds twice": ('primaries l { 192.0.2.1; }; parental-agents l { 192.0.2.2; };', "one namespace, as in 9.20"),
    "database": (zone('type primary; database "foo bar";'), "there is no file to load"),
    "policy max-zone-ttl": (POLICY + zone(PRIMARY + 'dnssec-policy p; inline-signing yes; max-zone-ttl 1d;'), "an error in 9.20"),
    "policy nsec3 iterations": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; nsec3param iterations 5; };', "an error in 9.20, RFC 9276"),
    "policy registration delay": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 13; }; parent-registration-delay 1d; };', "gone in 9.20"),
    "policy key alg 1": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 1; }; };', "never made"),
    "policy key alg dsa": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm dsa; }; };', "never made"),
    "policy key alg 3": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 3; }; };', "never made"),
    "policy key alg 253": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 253; }; };', "never made"),
    "policy key alg 12": ('dnssec-policy "p" { keys { csk lifetime unlimited algorithm 12; }; };', "never made"),
    "acl of itself, unused": ('acl a { a; };', "it cannot be meant"),
    "acl refuses undefined key": (options('allow-query { !key nosuch; any; };'), "it would refuse nobody"),
    "acl refuses list with one": ('acl a { key nosuch; }; options { allow-query { !a; any; }; };', "it would refuse nobody"),
    "acl loop, unused": ('acl a { b; }; acl b { a; };', "it cannot be meant"),
    "acl chain": (''.join(f'acl a{i} {{ a{i + 1}; }}; ' for i in range(99)) + 'acl a99 { any; }; options { allow-query { a0; }; };', "32 lists deep"),
    "acl with a scope": (options('allow-query { fe80::1%lo; };'), "scopes are not matched"),
    "acl braces": ('acl a ' + '{ ' * 2000 + 'any; ' + '}; ' * 2000, "32 blocks deep"),
    "acl long name": ('acl ' + 'a' * 3000 + ' { any; };', "255 bytes"),
    "update-policy external of a key": (KEY + zone(PRIMARY + 'update-policy { grant k external *; };'), "there is no daemon to ask"),
    "update-policy external somewhere": (KEY + zone(PRIMARY + 'update-policy { deny "local:x" external .; grant k zonesub; };'), "relative to what?"),
    "update-policy no number": (KEY + zone(PRIMARY + 'update-policy { grant k zonesub A(); };'), "how many?"),
    "include deep": ('include "deep0.conf";', "16 files deep"),
    "string with NUL": ('options { version "a\0b"; };', "BIND keeps what stands before it"),
    "long string": ('options { version "' + 'a' * 10_000_000 + '"; };', "64 KiB"),
    "log folder not there": ('logging { channel c { file "/nosuch/x.log"; }; category queries { c; }; };', "named fails when it starts"),
    "options policy unknown": (options('dnssec-policy nosuch;'), "it would be an error with the first zone"),
    "session name bad": (options('session-keyname "a..b";'), "named fails when it starts"),
    "sig type low": (options('sig-signing-type 65279;'), "an error in a zone"),
    "key of two views": ('view a { key k { algorithm hmac-sha256; secret "YWJjZA=="; }; }; view b { key k { algorithm hmac-sha256; secret "YWJjZQ=="; }; };', "names of keys are the server's"),
    "controls unix": ('controls { unix "/x" perm 0600 owner 0 group 0; };', "not supported, an error in 9.20"),
    "geoip": (options('allow-query { geoip country US; };'), "an ACL must not be passed over"),
    "masterfile raw": ('zone "x" { type primary; file "x.db";  masterfile-format raw; };', "cannot be read"),
    "auto-dnssec": ('zone "x" { type primary; file "x.db";  auto-dnssec maintain; inline-signing yes; };', "gone in 9.20, and it meant signing"),
}

# What Signet takes and named-checkconf 9.18 does not, and why.
ACCEPTED = {
    "redirect": (zone('type redirect; file "x";'), "ignored with a warning"),
    "forward without forwarders": (zone(PRIMARY + 'forward first;'), "only a resolver forwards"),
    "hint without file": ('zone "." { type hint; };', "ignored with a warning"),
    "mirror without primaries": (zone('type mirror; file "x";'), "ignored with a warning"),
    "serial keep": (zone(PRIMARY + 'serial-update-method keep;'), "OpenDNSSEC's word"),
    "signing interval": (options('sig-validity-interval 10 11;'), "without effect"),
    "rrset-order bad": (options('rrset-order { order foo; };'), "without effect"),
    "dnstap without output": (options('dnstap { auth; };'), "without effect"),
    "disable-algorithms bad": (options('disable-algorithms . { foo; };'), "only a resolver validates"),
    "quoted address": (zone('type secondary; primaries { "192.0.2.1"; };'), "says what it means"),
    "algorithm with a dot": ('key k { algorithm hmac-sha256.; secret "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="; };', "a domain name (RFC 8945 6)"),
    "list of another kind": (zone('type secondary; primaries { l; };') + ' parental-agents l { 192.0.2.1; };', "one namespace, as in 9.20"),
    "primaries with a source": (zone('type secondary; primaries source 127.0.0.1 { 192.0.2.1; };'), "as in 9.20"),
    "policy inline by itself": (zone('type secondary; primaries { 192.0.2.1; }; file "x"; dnssec-policy default;'), "as in 9.20"),
    "min-transfer-rate-in": (options('min-transfer-rate-in 1 1;'), "as in 9.20"),
    "checkds": (zone(PRIMARY + 'dnssec-policy default; inline-signing yes; checkds explicit;'), "as in 9.20"),
    "form feed": ('options {\f recursion no;\v };', "white space"),
    "plugin": ('plugin query "x.so" { a b { c }; d };', "ignored with a warning"),
    "rpz": (options('response-policy { zone "rpz" policy given; } break-dnssec yes;'), "ignored with a warning"),
    "catalog": (options('catalog-zones { zone "cat" default-primaries { 192.0.2.1; }; };'), "ignored with a warning"),
    "query-source port": (options('query-source address * port 53;'), "ignored with a warning"),
    "include unquoted": ('include inc.conf;', "says what it means"),
    "double semicolon": (options('recursion no;;'), "says nothing"),
    "stray semicolon": (';', "says nothing"),
    "quoted keyword": ('"options" { };', "says what it means"),
    "quoted value": (options('recursion "no";'), "says what it means"),
    "number quoted": (options('port "53";'), "says what it means"),
}
# fmt: on


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inc.conf").write_text("options { };\n")
    (tmp_path / "incopt.conf").write_text("recursion no;\n")
    for i in range(20):
        (tmp_path / f"deep{i}.conf").write_text(f'include "deep{i + 1}.conf";\n')
    (tmp_path / "deep20.conf").write_text("options { };\n")
    (tmp_path / "loop1.conf").write_text('include "loop2.conf";\n')
    (tmp_path / "loop2.conf").write_text('include "loop1.conf";\n')
    (tmp_path / "dangling.conf").symlink_to("nowhere")
    (tmp_path / "comment.conf").write_text("/* ")
    (tmp_path / "brace.conf").write_text("};")
    (tmp_path / "inczone.conf").write_text('type primary; file "x";\n')
    return tmp_path


def run(folder, *command):
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20)
    assert result.returncode in (0, 1), result.stderr
    return result


def verdicts(folder, text):
    (folder / "t.conf").write_text(text + "\n")
    named = run(folder, shutil.which("named-checkconf") or "/usr/bin/named-checkconf", "t.conf")
    signet = run(folder, BIN / "signet", "checkconf", "t.conf")
    if signet.returncode == 1:
        assert ".conf:" in signet.stdout, "an error names its place"
    return named.returncode, signet.returncode


@pytest.mark.parametrize("name", AGREED)
def test_both_say_the_same(folder, name):
    named, signet = verdicts(folder, AGREED[name])
    assert signet == named


@pytest.mark.parametrize("name", REFUSED)
def test_signet_is_stricter_where_it_says_so(folder, name):
    assert verdicts(folder, REFUSED[name][0]) == (0, 1)


@pytest.mark.parametrize("name", ACCEPTED)
def test_signet_is_more_patient_where_it_says_so(folder, name):
    assert verdicts(folder, ACCEPTED[name][0]) == (1, 0)


def test_what_is_printed_is_taken_by_both(folder):
    """What -p prints loads again and prints as the same; BIND takes it but for what it lacks."""
    text = "\n".join(
        [
            KEY,
            "acl inner { !10/8; any; };",
            options('directory "/tmp"; allow-query { !inner; 192.0.2.1; }; notify explicit;'),
            zone(PRIMARY + "allow-update { key k; }; also-notify { 192.0.2.7 key k; };"),
            'zone "b" { type secondary; file "b.db"; primaries { 192.0.2.1 port 54; ::1; }; };',
            "logging { channel c { stderr; }; category default { c; }; };",
        ]
    )
    (folder / "t.conf").write_text(text)
    printed = run(folder, BIN / "signet", "checkconf", "-p", "t.conf").stdout
    (folder / "p.conf").write_text(printed)
    again = run(folder, BIN / "signet", "checkconf", "-p", "p.conf")
    assert again.returncode == 0
    assert again.stdout == printed

    ours = ("store-directory", "history-memory", "max-journal-age", "allow-hmac-md5")
    for_bind = [line for line in printed.splitlines() if not line.strip().startswith(ours)]
    (folder / "b.conf").write_text("\n".join(for_bind) + "\n")
    assert run(folder, "named-checkconf", "b.conf").stdout == ""


def warnings(said):
    """What is said, as a set, without its place; one item for each option that is not in effect."""
    texts = re.findall(r"^\S+?:\d+:\d+: (.*)$", said, re.M)
    options = [text.split(": ")[-1].split(", ") for text in texts if "not in effect yet" in text]
    return {text for text in texts if "not in effect yet" not in text}, set(sum(options, []))


@pytest.mark.parametrize("name", [*AGREED, *ACCEPTED])
def test_what_is_printed_is_printed_alike_and_draws_no_warning_of_its_own(folder, name):
    (folder / "t.conf").write_text((AGREED[name] if name in AGREED else ACCEPTED[name][0]) + "\n")
    printed = run(folder, BIN / "signet", "checkconf", "-p", "t.conf")
    if printed.returncode != 0:
        return
    first = folder / "p.conf"
    first.write_text(printed.stdout)
    again = run(folder, BIN / "signet", "checkconf", "-p", "p.conf")
    assert again.returncode == 0, again.stderr
    assert again.stdout == printed.stdout
    of_text, pending_of_text = warnings(printed.stderr)
    of_print, pending_of_print = warnings(again.stderr)
    assert pending_of_print <= pending_of_text
    assert len(of_print) <= len(of_text), again.stderr


def test_secrets_are_hidden_by_x(folder):
    (folder / "t.conf").write_text(KEY)
    assert "MTIz" in run(folder, BIN / "signet", "checkconf", "-p", "t.conf").stdout
    hidden = run(folder, BIN / "signet", "checkconf", "-p", "-x", "t.conf")
    assert "MTIz" not in hidden.stdout
    assert "????" in hidden.stdout


def test_zones_are_listed_as_named_checkconf_does(folder):
    (folder / "t.conf").write_text(
        "view a { " + zone(PRIMARY) + ' }; view b { zone "x" { type secondary; primaries { ::1; }; }; };'
    )
    ours = run(folder, BIN / "signet", "checkconf", "-l", "t.conf").stdout
    theirs = run(folder, "named-checkconf", "-l", "t.conf").stdout
    assert ours == theirs


def test_zones_are_loaded_by_z(folder):
    (folder / "good.db").write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
    (folder / "bad.db").write_text("$TTL 60\n@ NS ns\n")
    for file, status in (("good.db", 0), ("bad.db", 1), ("none.db", 1)):
        (folder / "t.conf").write_text(zone(f'type primary; file "{file}";'))
        assert run(folder, BIN / "signet", "checkconf", "-z", "t.conf").returncode == status
        assert run(folder, "named-checkconf", "-z", "t.conf").returncode == status


def test_z_tells_the_serial_of_every_zone_that_loads(folder):
    (folder / "7.db").write_text("$TTL 60\n@ SOA a b 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
    (folder / "8.db").write_text((folder / "7.db").read_text().replace("b 7", "b 8"))
    (folder / "bad.db").write_text((folder / "7.db").read_text().replace("ns A", "www A"))
    zones = [("seven.test.", "7.db"), (".", "8.db"), ("bad.test", "bad.db")]
    (folder / "t.conf").write_text("".join(
        f'zone "{name}" {{ type primary; file "{file}"; }};\n' for name, file in zones)
        + 'zone "s.test" { type secondary; primaries { ::1; }; file "s.db"; };')
    theirs = run(folder, "named-checkconf", "-z", "t.conf").stdout.splitlines()
    ours = run(folder, BIN / "signet", "checkconf", "-z", "t.conf").stdout.splitlines()
    told = ["zone seven.test/IN: loaded serial 7", "zone ./IN: loaded serial 8",
            "zone bad.test/IN: not loaded due to errors."]
    assert [line for line in theirs if "loaded" in line] == told
    assert [line for line in ours if "loaded" in line] == told


def test_z_warns_of_updates_that_a_journal_of_named_alone_has(folder):
    def said(statements):
        (folder / "t.conf").write_text(zone(f'type primary; file "7.db"; {statements}'))
        result = run(folder, BIN / "signet", "checkconf", "-z", "t.conf")
        assert result.returncode == 0 and "loaded serial 7" in result.stdout
        return [line for line in result.stdout.splitlines() if "warning" in line]

    (folder / "7.db").write_text("$TTL 60\n@ SOA a b 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n")
    numbers = (7, 64, 9, 200)  # the serials 7 to 9, and where they stand
    header = b";BIND LOG V9.2\n\0" + b"".join(n.to_bytes(4, "big") for n in numbers)
    (folder / "7.db.jnl").write_bytes(header.ljust(64, b"\0"))
    signed = "dnssec-policy default; inline-signing yes;"
    assert said("") == []
    (warning,) = said(signed)
    assert "7.db.jnl holds updates that named has taken, up to serial 9" in warning
    (folder / "7.db.jnl").unlink()
    assert said(signed) == []


def test_a_configuration_that_is_not_there(folder):
    result = run(folder, BIN / "signet", "checkconf", "nosuch.conf")
    assert result.returncode == 1
    assert result.stdout == "nosuch.conf: file not found\n"


def test_it_looks_where_its_manual_page_says(folder):
    """Each build has its own folder; the pages of a build name that one."""
    page = (BIN.parent / "man/signet-checkconf.8").read_text()
    path = re.search(r"^\.Pa (/\S+/signet\.conf)$", page, re.MULTILINE)[1]
    if not os.path.exists(path):
        assert f"{path}: file not found" in run(folder, BIN / "signet", "checkconf").stdout
    strings = subprocess.run(["strings", BIN / "signetd"], capture_output=True, text=True).stdout
    assert path in strings.splitlines()


def test_what_does_nothing_yet_is_said_once(folder):
    """No option that is read is without effect in silence."""
    (folder / "t.conf").write_text(
        options("answer-cookie yes; allow-new-zones yes; rate-limit { responses-per-second 5; };")
        + zone(PRIMARY + "notify explicit; max-journal-size 1m;")
    )
    assert run(folder, BIN / "signet", "checkconf", "t.conf").stdout == (
        "t.conf:1:11: warning: read and checked, but not in effect yet in this version: "
        "answer-cookie, rate-limit\n"
    )


def test_the_stock_configuration_of_debian_with_a_zone(folder):
    """Taken over unchanged, by include: the hint zone draws a warning, and nothing an error."""
    (folder / "t.conf").write_text(
        'include "/etc/bind/named.conf";\n' + zone('type primary; file "/etc/bind/db.empty";')
    )
    result = run(folder, BIN / "signet", "checkconf", "-z", "t.conf")
    assert result.returncode == 0, result.stdout
    lines = result.stdout.splitlines()
    assert ["warning" in line for line in lines] == [True] * 2 + [False] * (len(lines) - 2)
    assert lines[-1] == "zone example.org/IN: loaded serial 1"
    assert "warning: zone '.' of type 'hint' is ignored" in result.stdout


def test_the_stock_configuration_of_debian(folder):
    result = run(folder, BIN / "signet", "checkconf", "/etc/bind/named.conf")
    assert result.returncode == 0
    assert "warning: zone '.' of type 'hint' is ignored" in result.stdout
