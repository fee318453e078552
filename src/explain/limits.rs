//! Timeouts, limits that a program has reached, and errors of files.

use super::{Entry, number};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "EAGAIN",
        aliases: &["EWOULDBLOCK", "BlockingIOError"],
        number: number!(AGAIN),
        title: "Resource temporarily unavailable",
        seen_in: "recv(), send(), accept() with a deadline; thread creation",
        meaning: "Not now. On a socket with a timeout the time is over; on a \
            non-blocking one there is nothing to read, or no room to write. \
            For a new thread it means that a limit on threads is reached.",
        causes: &[
            "the peer sent nothing before the deadline",
            "the peer does not read, so the send buffer stayed full",
            "the limit on threads or memory is reached (spawn)",
        ],
        check: &[
            "ss -tn 'sport = :PORT'  # Send-Q: what the peer has not taken",
            "ulimit -u  # threads and processes this user may have",
            "ls /proc/PID/task | wc -l  # threads of PID",
        ],
    },
    Entry {
        name: "EINTR",
        aliases: &["InterruptedError"],
        number: number!(INTR),
        title: "Interrupted system call",
        seen_in: "every call that waits",
        meaning: "A signal arrived while the call waited, before it had done \
            anything. Nothing is lost: call again, unless the signal means \
            to stop.",
        causes: &[
            "Ctrl-C, a resized terminal, or kill",
            "a child process has ended (SIGCHLD)",
        ],
        check: &["strace -p PID  # the signal is printed as --- SIG... ---"],
    },
    Entry {
        name: "ECHILD",
        aliases: &["ChildProcessError"],
        number: number!(unix CHILD),
        title: "No child processes",
        seen_in: "waitpid()",
        meaning: "This process has no child whose status it could ask for: it \
            has started none, has asked for it before, or ignores SIGCHLD, \
            upon which the kernel keeps no status of the dead.",
        causes: &["it was started where SIGCHLD is ignored (trap '' CHLD)"],
        check: &["grep SigIgn /proc/PID/status  # bit 17 is SIGCHLD"],
    },
    Entry {
        name: "EMFILE",
        aliases: &[],
        number: number!(MFILE),
        title: "Too many open files",
        seen_in: "accept(), socket(), open()",
        meaning: "This process has as many descriptors as it may have, often \
            1,024, and every client is one. The client stays in the queue, \
            so accept() fails again at once: pause before the next try.",
        causes: &[
            "more clients at once than the limit allows",
            "sockets are not closed when their clients leave",
        ],
        check: &[
            "ulimit -n  # the limit of programs started from this shell",
            "ls /proc/PID/fd | wc -l  # how many PID has open",
            "ss -tanp state close-wait  # left by the peer, not closed here",
        ],
    },
    Entry {
        name: "ENFILE",
        aliases: &[],
        number: number!(unix NFILE),
        title: "Too many open files in system",
        seen_in: "accept(), socket(), open()",
        meaning: "All processes together have reached the system's limit on \
            open files. Closing this program's sockets helps little if \
            another program holds most of them.",
        causes: &["a program of this machine opens files without end"],
        check: &["cat /proc/sys/fs/file-nr  # open, free, limit"],
    },
    Entry {
        name: "ENOBUFS",
        aliases: &[],
        number: number!(NOBUFS),
        title: "No buffer space available",
        seen_in: "accept(), sendto(), socket()",
        meaning: "The kernel had no memory or no room in a queue for this \
            packet or socket. It passes: wait a moment and try again.",
        causes: &[
            "packets are sent faster than the interface takes them",
            "the kernel's memory for sockets is used up",
        ],
        check: &[
            "ss -s  # how many sockets there are",
            "cat /proc/net/sockstat  # their memory, in pages",
        ],
    },
    Entry {
        name: "ENOMEM",
        aliases: &[],
        number: number!(unix NOMEM),
        title: "Cannot allocate memory",
        seen_in: "socket(), accept(), thread creation",
        meaning: "There is no memory left for what was asked, in the machine \
            or within the limit of this container.",
        causes: &[
            "very many clients, each with a thread and buffers",
            "another program uses the memory up",
        ],
        check: &["free -m", "grep VmRSS /proc/PID/status  # what PID uses"],
    },
    Entry {
        name: "EMSGSIZE",
        aliases: &[],
        number: number!(MSGSIZE),
        title: "Message too long",
        seen_in: "send() and sendto() on a UDP socket",
        meaning: "The kernel sends a complete datagram or nothing, and this \
            one is too large: UDP over IPv4 carries at most 65,507 bytes \
            (65,535 less 20 for IP and 8 for UDP). Nothing was sent.",
        causes: &[
            "more than 65,507 bytes in one sendto()",
            "larger than the path's MTU with fragmentation forbidden",
        ],
        check: &["ip link  # mtu: above it, a datagram is cut in fragments"],
    },
    Entry {
        name: "EPROTO",
        aliases: &[],
        number: number!(unix PROTO),
        title: "Protocol error",
        seen_in: "accept()",
        meaning: "The network gave an error for this one connection before \
            the program got it. The next accept() can succeed.",
        causes: &["the client left during or right after the handshake"],
        check: &["ss -tan 'sport = :PORT'"],
    },
    Entry {
        name: "EISDIR",
        aliases: &["IsADirectoryError"],
        number: number!(ISDIR),
        title: "Is a directory",
        seen_in: "reading a file",
        meaning: "The call needs a file, but the name is that of a folder.",
        causes: &["the last part of the path is missing"],
        check: &["ls -ld PATH"],
    },
    Entry {
        name: "ENOENT",
        aliases: &["FileNotFoundError"],
        number: number!(unix NOENT),
        title: "No such file or directory",
        seen_in: "open(); connect() to a Unix socket",
        meaning: "Some part of the path does not exist, seen from the folder \
            in which the program was started.",
        causes: &[
            "the program was started in another folder",
            "a spelling mistake: capitals count on Linux",
            "the FIFO or Unix socket has not been created yet",
        ],
        check: &["pwd", "ls -l FILE"],
    },
    Entry {
        name: "EEXIST",
        aliases: &["FileExistsError"],
        number: number!(unix EXIST),
        title: "File exists",
        seen_in: "mkfifo(), creating a file",
        meaning: "The name is taken. A FIFO is a name in the file system and \
            stays there after its programs have ended.",
        causes: &["an earlier run left the FIFO or the file behind"],
        check: &["ls -l FILE  # a leading p: a FIFO"],
    },
    Entry {
        name: "ENXIO",
        aliases: &[],
        number: number!(unix NXIO),
        title: "No such device or address",
        seen_in: "opening a FIFO for writing without waiting; a Unix socket",
        meaning: "No program has the FIFO open for reading. A blocking \
            open() would wait for the reader; this one has O_NONBLOCK.",
        causes: &[
            "the reading program has not been started",
            "open() on a Unix socket, which needs connect()",
        ],
        check: &["ls -l FILE", "fuser -v FILE  # who has it open"],
    },
    Entry {
        name: "ENOSPC",
        aliases: &[],
        number: number!(unix NOSPC),
        title: "No space left on device",
        seen_in: "write() to a file",
        meaning: "The file system has no free block or no free inode. What \
            was written before the error is there.",
        causes: &[
            "a download, a log or a capture filled the disk",
            "too many small files: the inodes are used up",
        ],
        check: &["df -h .", "df -i ."],
    },
    Entry {
        name: "ENOTDIR",
        aliases: &["NotADirectoryError"],
        number: number!(unix NOTDIR),
        title: "Not a directory",
        seen_in: "opening a folder, or a path through one",
        meaning: "A part of the path that should be a folder is something \
            else, mostly a file.",
        causes: &[
            "a file was named where a folder is wanted, as with --root",
            "a slash after the name of a file",
        ],
        check: &["ls -ld PATH"],
    },
    Entry {
        name: "ELOOP",
        aliases: &[],
        number: number!(LOOP),
        title: "Too many levels of symbolic links",
        seen_in: "open()",
        meaning: "Symbolic links form a loop, or the path has a link and the \
            program forbids links (O_NOFOLLOW).",
        causes: &["two links that name each other"],
        check: &["namei -l PATH  # each step of the path"],
    },
    Entry {
        name: "ENAMETOOLONG",
        aliases: &[],
        number: number!(NAMETOOLONG),
        title: "File name too long",
        seen_in: "open(), mkfifo() and whatever else takes a path",
        meaning: "One part of a path has at most 255 bytes, and a path 4095. \
            The path of a Unix socket has 107; there bind() says EINVAL.",
        causes: &["something else than a name was taken for one"],
        check: &["echo -n PATH | wc -c"],
    },
    Entry {
        name: "EFBIG",
        aliases: &[],
        number: number!(unix FBIG),
        title: "File too large",
        seen_in: "write()",
        meaning: "The file may not grow beyond a limit of this process, or \
            of its file system.",
        causes: &["a limit on the size of files (ulimit -f)"],
        check: &["ulimit -f  # in the shell that starts the program"],
    },
    Entry {
        name: "EROFS",
        aliases: &[],
        number: number!(unix ROFS),
        title: "Read-only file system",
        seen_in: "creating, writing or removing a file",
        meaning: "The file system is mounted without the right to write, for \
            everybody, root too.",
        causes: &[
            "a container or a USB stick that is mounted read-only",
            "the kernel found errors on the disk and stopped writing",
        ],
        check: &["findmnt -T PATH  # ro among the options", "dmesg | tail"],
    },
    Entry {
        name: "EDQUOT",
        aliases: &[],
        number: number!(DQUOT),
        title: "Disk quota exceeded",
        seen_in: "write() to a file",
        meaning: "The disk has room, but not for this user: the share is \
            used up.",
        causes: &["old builds and downloads in a university account"],
        check: &["quota -s", "du -sh ~/* | sort -h"],
    },
    Entry {
        name: "EIO",
        aliases: &[],
        number: number!(unix IO),
        title: "Input/output error",
        seen_in: "read() and write() on terminals and disks",
        meaning: "The device behind the descriptor failed. For a terminal it \
            means that its window was closed, or that a background program \
            without a terminal reads from it.",
        causes: &[
            "the terminal of a background program was closed",
            "the program at the other side of a pseudo-terminal has ended",
            "the disk or the network drive is failing",
        ],
        check: &["ps -o pid,tty,stat,cmd -p PID", "dmesg | tail"],
    },
];
