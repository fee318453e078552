# `make` without a target prints the labs and the general targets.
# This file needs POSIX sh and GNU make 3.81 or later. Every target runs one
# cargo command, which README.md names for readers without make.

HOST =
PORT =
URL =
ARGS =
CARGO = cargo

LABS = greet echo uppercase message datetime calculator chat web proxy \
  mail internet names rpc pipes wire

# HOST and PORT precede the options, if one of them is set.
place = $(if $(HOST)$(PORT),'$(or $(HOST),127.0.0.1)') $(if $(PORT),'$(PORT)')
run = $(CARGO) run --bin

# Without cargo only the help works.
ifeq ($(shell command -v $(CARGO) 2>/dev/null),)
NO_CARGO = There is no '$(CARGO)' here. Install Rust 1.89 or later: \
  https://rustup.rs has the installer, and many systems have a package.
ifneq ($(filter-out help,$(MAKECMDGOALS)),)
$(error $(NO_CARGO))
endif
endif

help:
	@awk -F ': *##' '/^## /{general = /Everything/} \
	  /^## [a-z]*: /{lab = substr($$0, 4); sub(/:.*/, "", lab); \
	    sub(/^## [a-z]*: /, ""); printf "make %-11s%s\n", lab, $$0} \
	  general && /^[a-z]*: ## /{printf "make %-10s%s\n", $$1, $$2}' Makefile
	@echo 'make help-echo prints all targets of one lab. Variables: HOST PORT ARGS TRACE'
	$(if $(NO_CARGO),@echo "$(NO_CARGO)")

help-%:
	@awk -F ': *##' '/^## /{here = index($$0, "## $*: ") == 1} \
	  here && /^## /{print substr($$0, 4); found = 1} \
	  here && /^[a-z][a-z0-9-]*:.*##/{printf "  make %-27s%s\n", $$1, $$2} \
	  END{if (!found) {print "There is no lab $*. make help lists the labs."; exit 2}}' Makefile
	@echo 'Variables: HOST=127.0.0.1 PORT=12001 ARGS="--help" TRACE=1'
	@echo 'For example: make echo-server PORT=4711 TRACE=1'

## Everything
demo: ## play all labs over real sockets, as their READMEs print it
	@$(CARGO) build --bins
	@$(run) socketlab -- demo
test: ## all tests; the end lists what was skipped, and what to install
	@rm -f target/skipped
	@SKIPPED='$(CURDIR)/target/skipped' $(CARGO) test --quiet --no-fail-fast; \
	  status=$$?; \
	  if [ -s target/skipped ]; then \
	    echo 'Skipped, because a program is not installed:'; \
	    sort target/skipped | uniq -c | \
	      awk '{n = $$1; $$1 = ""; print "  install" $$0 ": tests skipped: " n}'; \
	  fi; \
	  exit $$status
# What CI runs: format, lints, docs, all tests.
ci:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --quiet --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --workspace --no-deps --document-private-items
	$(MAKE) test
doctor: ## what works on this machine, and which setting forbids the rest
	@$(run) socketlab -- doctor
ports: ## which of these programs listen now, and where
	@$(run) socketlab -- ports
steps: ## steps side by side: ARGS='echo-task3-server echo-task4-server'
	@$(run) socketlab -- steps $(ARGS)
viva: ## the questions of the oral exam, one by one
	@$(run) socketlab -- viva
where: ## where an id, a call or a program is: make where ARGS=E-T3
	@$(run) socketlab -- where '$(ARGS)'
explain: ## an error, a state or a code: make explain ARGS=ECONNREFUSED
	@$(run) socketlab -- explain $(ARGS)

## greet: a greeting to each client, call by call (handout T)
greet: ## both ends, scripted
greet-server: ## prints `Got connection from …`, sends a greeting
greet-plain-client: ## the handout's client: connect, recv, print, close
greet-client: ## with time limits: prints what any server says first
test-greet: ## its tests
viva-greet: ## its questions

## echo: print, echo, until `stop`, UDP (handout E)
echo: ## all stages, scripted
echo-task1-server: ## task 1: prints what one client sends
echo-task1-client: ## task 1: sends a sentence
echo-task2-server: ## task 2: echoes it
echo-task2-client: ## task 2: prints the echo
echo-task3-server: ## task 3: one client after the other, until `stop`
echo-task3-client: ## task 3: many sentences
echo-task4-server: ## task 4: the echo over UDP
echo-task4-client: ## task 4: sends datagrams, waits for each echo
echo-threads-server: ## task 3 with a bare thread per client
echo-poll-server: ## many clients in one thread, with poll(2)
echo-server: ## the echo server to use: a bounded number of threads
echo-client: ## the echo client to use: both directions at once
echo-udp-server: ## the UDP server to use: no endless loops
echo-udp-client: ## the UDP client to use: sends lost datagrams again
echo-deadlock: ## fails on purpose: writes all, then reads
bench-echo: ## speed beside Python and socat, as ratios
test-echo: ## its tests
viva-echo: ## its questions

## uppercase: one service over TCP and over UDP (handout W)
uppercase: ## both, scripted
uppercase-plain-udp-server: ## the handout's UDPServer, line by line
uppercase-plain-udp-client: ## its UDPClient
uppercase-plain-tcp-server: ## its TCPServer
uppercase-plain-tcp-client: ## its TCPClient
uppercase-tcp-server: ## answers a to z in upper case; --once: the skeleton
uppercase-tcp-client: ## asks for a sentence, prints the answer
uppercase-udp-server: ## the same service, a datagram each
uppercase-udp-client: ## asks up to three times
test-uppercase: ## its tests
viva-uppercase: ## its questions

## message: who may send messages, and how many (handout D)
message: ## all stages, scripted
message-open-server: ## task 1: prints every message
message-plain-client: ## sends lines: read this client first
message-password-server: ## task 2, read first: a secret
message-quota-server: ## task 3, read first: a table of quotas
message-server: ## tasks 2 and 3: ARGS="--auth challenge --quota FILE"
message-client: ## sends lines: ARGS="--id alice", "--burst 1000"
message-intruder: ## every attack at every level; HOST=… PORT=… for one
test-message: ## its tests
viva-message: ## its questions

## datetime: date and time over UDP (handout G, part 1)
datetime: ## both ends, scripted
datetime-template-server: ## question 1: one datagram in, one out
datetime-template-client: ## question 1: one datagram there, one back
datetime-plain-server: ## question 3, read first: SEND_DATE and SEND_TIME
datetime-plain-client: ## question 3, read first: asks every 1 to 2 s
datetime-server: ## question 3: answers SEND_DATE and SEND_TIME
datetime-client: ## question 3: asks at random, until Ctrl-C
test-datetime: ## its tests
viva-datetime: ## its questions

## calculator: sessions over TCP (handout G, parts 2 and 3)
calculator: ## both ends, scripted
calculator-template-server: ## question 4: one message in, one out
calculator-template-client: ## question 4: one message there, one back
calculator-plain-server: ## question 6, literally, in one file
calculator-plain-client: ## question 6: name, calculations, q
calculator-sequential-server: ## question 6: one client at a time
calculator-server: ## question 8: a thread per client
calculator-client: ## sends its name, then calculations until q
test-calculator: ## its tests
viva-calculator: ## its questions

## chat: a chat room (handout G, the bonus)
chat: ## the handout's two screens, scripted
chat-plain-server: ## the room, read first
chat-plain-client: ## the client, read first
chat-server: ## the room: ARGS="--max-rate 5", "--echo", "--quiet"
chat-client: ## a chat client; quit leaves
bench-chat: ## speed beside ncat and inspircd, as ratios
test-chat: ## its tests
viva-chat: ## its questions

## web: a web server and a client (handout W, task 2)
web: ## both servers, scripted
web-once-server: ## one request, then it ends; port 6789
web-server: ## the server for browsers: http://127.0.0.1:8080/
web-client: ## prints a response: make web-client ARGS='127.0.0.1 8080 /'
bench-web: ## speed beside nginx, h2o, lighttpd and Python, as ratios
test-web: ## its tests
viva-web: ## its questions

## proxy: a proxy between browsers and web servers (handout W, task 3)
proxy: ## both stages, scripted
proxy-once-server: ## task 3 literally: http://127.0.0.1:8888/host/path
proxy-server: ## the proxy to use: keep-alive, tunnels, cache
bench-proxy: ## speed beside apache, squid and tinyproxy, as ratios
test-proxy: ## its tests
viva-proxy: ## its questions

## mail: a message by SMTP, command by command (handout W, task 4)
mail: ## client and sink, scripted
mail-plain-client: ## read first: PORT=2525 ARGS="a@b.c d@e.f"
mail-client: ## sends a message: ARGS="--from a@b.c --to d@e.f"
mail-sink: ## accepts mail for anybody: ARGS="--tls", "--fail rcpt=550"
test-mail: ## its tests
viva-mail: ## its questions

## internet: POP3, IMAP, FTP, NNTP, Gopher, Telnet, HTTP (handout T)
internet: ## all schemes, scripted, against small servers in Python
internet-plain-pop3: ## read first: a message by POP3, FETCH_PASSWORD=lunch
fetch: ## prints what a URL names: make fetch URL=gopher://127.0.0.1:7070/
test-internet: ## its tests, against real servers where installed
viva-internet: ## its questions

## names: host names, addresses, ports, sockets (handout T, vocabulary)
names-plain: ## the five words with their values: HOST=localhost PORT=80
names: ## scripted; its program: make names ARGS='localhost http'
test-names: ## its tests
viva-names: ## its questions

## rpc: procedures on another machine (handout T)
rpc: ## calls, lost responses, at least once and at most once, scripted
rpc-plain-server: ## read first: one procedure and its skeleton
rpc-plain-client: ## calls it: HOST=… PORT=… ARGS="2 3"
rpc-server: ## ARGS="--lose-reply 1", "--at-most-once", "--delay 500"
rpc-client: ## a prompt, or a call: ARGS='127.0.0.1 12006 add 2 3'
rpc-compare: ## the same procedure, local and remote
test-rpc: ## its tests
viva-rpc: ## its questions

## pipes: between processes of one machine (handout T)
pipes: ## all of them, scripted
pipes-plain: ## read first: one pipe, parent to child
pipes-ordinary: ## one pipe, parent to child; ARGS=--reader-leaves, --leak
pipes-both-ways: ## two pipes; ARGS=--one-pipe, --deadlock: how it fails
pipes-capacity: ## how much a pipe holds: ARGS="--chunk 2049"
pipes-atomic: ## two writers, one pipe: whose bytes are torn?
pipes-fifo-writer: ## a named pipe: ARGS=/tmp/socketlab.fifo
pipes-fifo-reader: ## its other end: ARGS="/tmp/socketlab.fifo --stay"
pipes-fifo-talk: ## a named pipe in both directions; ARGS="x y": two of them
pipes-unix-server: ## echo over a Unix-domain socket: ARGS="PATH --mode 660"
pipes-unix-client: ## types to it: ARGS=/tmp/socketlab.sock
test-pipes: ## its tests
viva-pipes: ## its questions

## wire: two hosts, a cable, captures, a poor network; no root needed
wire: ## the relay, scripted
wire-echo: ## a lab between two hosts, captured in target/wire (any lab's name)
hosts: ## a shell on each of two hosts, the cable's prompt between them
hosts-echo: ## the same, while a lab's server runs (any lab's name)
relay: ## a poor network: ARGS='127.0.0.1:9000 127.0.0.1:12001 --split 1'
wire-hosts: ## two hosts, a command on each: ARGS="--lose 'first SYN' …"
wire-cable: ## the cable between two interfaces: ARGS="c1 c2 --save FILE"
wire-relay: ## what `make relay` starts
test-wire: ## its tests
viva-wire: ## its questions

# The recipes. The name of a target is that of its program, lab or test.
$(filter-out names,$(LABS)):
	@$(CARGO) build --bins
	@$(run) socketlab -- demo $@
# The lab names has a program of the same name. Without HOST, PORT and ARGS
# the target plays the lab, otherwise it starts the program.
names:
ifeq ($(HOST)$(PORT)$(ARGS),)
	@$(CARGO) build --bins
	@$(run) socketlab -- demo $@
else
	@$(run) $@ -- $(if $(HOST),'$(HOST)') $(if $(PORT),'$(PORT)') $(ARGS)
endif
names-plain: always
	@$(run) $@ -- $(if $(HOST),--host '$(HOST)') $(if $(PORT),--port '$(PORT)') $(ARGS)
pipes-%: always
	@$(run) $@ -- $(ARGS)
%-server: always
	@$(run) $@ -- $(place) $(ARGS)
%-client: always
	@$(run) $@ -- $(place) $(ARGS)
%-compare: always
	@$(run) $@ -- $(place) $(ARGS)
%-sink: always
	@$(run) $@ -- $(place) $(ARGS)
%-pop3: always
	@$(run) $@ -- $(place) $(ARGS)
%-deadlock: always
	@$(run) $@ -- $(place) $(ARGS)
fetch:
	@$(run) $@ -- $(if $(URL),'$(URL)') $(ARGS)
%-intruder: always
	@$(CARGO) build --bins
	@$(run) $@ -- $(place) $(ARGS)
wire-hosts wire-cable: always
	@$(CARGO) build --bins
	@$(run) $@ -- $(ARGS)
relay wire-relay: always
	@$(run) wire-relay -- $(ARGS)
# The servers run on the host 10.0.0.2, everything else on 10.0.0.1.
has_run = @[ -f labs/wire/runs/$*.txt ] || \
  { echo "The lab $* has no run between hosts; labs/wire/runs lists those that have."; exit 2; }
wire-%: always
	$(has_run)
	@$(CARGO) build --bins
	@mkdir -p target/wire
	@$(run) wire-hosts -- --save target/wire/$*.pcapng --play labs/wire/runs/$*.txt $(ARGS)
	@echo 'The capture: target/wire/$*.pcapng (wireshark, or tshark -r)'
hosts: always
	@$(CARGO) build --bins
	@mkdir -p target/wire
	@$(run) wire-hosts -- --save target/wire/hosts.pcapng $(ARGS)
hosts-%: always
	$(has_run)
	@$(CARGO) build --bins
	@mkdir -p target/wire
	@$(run) wire-hosts -- --save target/wire/$*.pcapng $(ARGS) \
	  --start "$$(sed -n 's/^server$$ //p' labs/wire/runs/$*.txt | head -n 1)"
bench-%: always
	$(CARGO) bench --bench speed -- $* $(ARGS)
test-%: always
	$(CARGO) test --test $*
viva-%: always
	@$(run) socketlab -- viva $*

# A pattern rule cannot be phony. A target that depends on this one is always
# run, even if a file of its name exists.
always:

.PHONY: always help demo test ci doctor ports steps viva where explain fetch $(LABS)
