/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring of docs/protocol.md, sections 7, 8 and 10, as RingWriter, RingReader, ControlPage and ReaderSet do it. README.md beside this file says
 * what is checked and what is not. Each step names the code it stands for.
 *
 * Memory is total store order: a CPU's stores wait in a queue of its own and reach the memory in order, at any later time; its loads do not wait for
 * them. A fence waits until the queue is empty. What a GPU writes reaches the memory at once, in its stream's order.
 *
 * Set by models/check: SLOTS, READERS, TRIES (frames the writer tries to publish), TAKES (frames a reader takes at most), GPU (a GPU writes pixels
 * and head, on two streams), STREAM_RELEASE (readers' GPUs read the pixels and end the leases), STRICT_WAIT (the writer waits for the strict reader), NEWEST (no reader is
 * strict), KILL_READER,
 * KILL_WRITER, and one of the mutations MUT_..., each of which must be found out.
 */

#define FREE 0
#define TAKEN 255
#define NONE SLOTS

/* Addresses of shared words. */
#define SEQ(s) (s)                                     /* slot descriptor, seq */
#define PIXA(s) (SLOTS + (s))                          /* the pixels of a slot, two words: torn is when they differ */
#define PIXB(s) (2 * SLOTS + (s))
#define INDEX(k) (3 * SLOTS + (k) % SLOTS)             /* index ring; as short as can be, so that entries are overwritten */
#define HEAD (4 * SLOTS)
#define SCANS (4 * SLOTS + 1)                          /* ReaderSet.scans */
#define PAGES (4 * SLOTS + 2)                          /* ReaderSet.pages, one bit for each reader */
#define LEASE(r, s) (4 * SLOTS + 3 + (r) * SLOTS + (s)) /* control page, lease */
#define CURSOR(r) (4 * SLOTS + 3 + READERS * SLOTS + (r))
#define WORDS (4 * SLOTS + 3 + READERS * SLOTS + READERS)

/* Head and index words. */
#define WORD(k, s) ((k) * SLOTS + (s))
#define SEQ_OF(w) ((w) / SLOTS)
#define SLOT_OF(w) ((w) % SLOTS)

/* The last reader takes all in order, the others the newest. */
#ifdef NEWEST
#define STRICT(r) false
#else
#define STRICT(r) ((r) == READERS - 1)
#endif

/* CPUs. */
#define SERVER READERS
#define WRITER (READERS + 1)
#define CPUS (READERS + 2)

byte mem[WORDS];
chan buffer[CPUS] = [BUFFER] of { byte, byte };

#ifdef GPU
chan stream[2] = [2] of { byte, byte };                /* seq, slot: write the pixels, then the head */
#endif
#ifdef STREAM_RELEASE
chan reads[READERS] = [SLOTS] of { byte, byte };       /* seq, slot: read the pixels, then end the lease */
#endif

/* Who lives; messages and ends of connections, which are the kernel's and thus in order with everything. */
bool welcomed[READERS], saidReady[READERS], ended[READERS], killed[READERS], killedWriter;

/* The publisher's own: ControlPage.awaited, and whether the page is mapped. */
bool awaited[READERS], mapped[READERS], reaped[READERS];

/* For the properties alone. */
byte published;
byte countedAt[READERS];
bool writerDone;

#define store(p, a, v) buffer[p]!(a), (v)
#define fence(p) (empty(buffer[p]))
#define load(a) mem[a]

inline arrive(a, v) {
	if
	:: a == HEAD -> assert(SEQ_OF(v) > SEQ_OF(mem[HEAD])) /* the head never goes back */
	:: else
	fi;
	mem[a] = v
}

/* The store buffer of a CPU. It drains whatever becomes of the process. */
proctype Buffer(byte p) {
	byte a, v;
end:	do
	:: atomic { buffer[p]?a, v -> arrive(a, v); a = 0; v = 0 }
	od
}

#ifdef GPU
/* GpuAnnouncer: behind the pixels of its stream, and behind the announcement before it, wherever that was queued. */
proctype Gpu(byte n) {
	byte k, s;
end:	do
	:: stream[n]?<k, s> ->
		atomic { mem[PIXA(s)] = k };
		atomic { mem[PIXB(s)] = k };
#ifndef MUT_NO_STREAM_ORDER
		SEQ_OF(mem[HEAD]) == k - 1;
#endif
		atomic { stream[n]?k, s; arrive(HEAD, WORD(k, s)); k = 0; s = 0 }
	od
}
#endif

#ifdef STREAM_RELEASE
/* DeviceReads: the reader's GPU reads, then ends the lease. With its process it goes, too. */
proctype ReaderGpu(byte r) {
	byte k, s;
end:	do
	:: reads[r]?<k, s> ->
		if
		:: killed[r]
		:: else -> assert(mem[PIXA(s)] == k || killed[r])
		fi;
		if
		:: killed[r]
		:: else -> assert(mem[PIXB(s)] == k || killed[r])
		fi;
		atomic { reads[r]?k, s; mem[LEASE(r, s)] = 0; k = 0; s = 0 }
	od
}
#endif

/* ---------------------------------------------------------------- publisher: writer thread */

/* ReaderSet.beginScan */
inline beginScan() {
	scans++;
	store(WRITER, SCANS, scans);
#ifndef MUT_NO_SCAN_FENCE
	fence(WRITER);
#endif
}

/* ReaderSet.endScan */
inline endScan() {
	scans++;
	store(WRITER, SCANS, scans);
}

/* RingWriter.isLeased: ReaderSet.pages once, then ControlPage.leases of each */
inline isLeased(slot) {
	pages = load(PAGES);
	leased = false;
	r = 0;
	do
	:: r < READERS && !leased ->
		if
		:: pages & (1 << r) ->
			atomic {
				assert(mapped[r]); /* ReaderSet.remove: no scan sees a page that is unmapped */
				leased = (load(LEASE(r, slot)) != 0)
			}
		:: else
		fi;
		r++
	:: else -> break
	od;
	r = 0; pages = 0
}

/* RingWriter.reclaim, within a scan */
inline reclaim(slot) {
	isLeased(slot);
	if
	:: !leased ->
		store(WRITER, SEQ(slot), 0);
#ifndef MUT_NO_WRITER_FENCE
		fence(WRITER);
#endif
#ifndef MUT_NO_LEASE_CHECK
		isLeased(slot);
#endif
		if
#ifndef MUT_NO_RESTORE
		:: leased -> store(WRITER, SEQ(slot), holds[slot])
#endif
		:: else
		fi
	:: else
	fi
}

/* RingWriter.isUnread, within a scan: ControlPage.awaits of each, with the cursor that it saw last where that is enough; nobody stalls */
inline isUnread(seq) {
	unread = false;
#ifdef STRICT_WAIT
	pages = load(PAGES);
	r = 0;
	do
	:: r < READERS ->
		if
		:: pages & (1 << r) ->
			atomic {
				assert(mapped[r]);
				if
				:: awaited[r] && seen[r] < seq -> seen[r] = load(CURSOR(r)); unread = unread || seen[r] < seq
				:: else
				fi
			}
		:: else
		fi;
		r++
	:: else -> break
	od;
	r = 0; pages = 0
#endif
}

/* RingWriter.free, the FREE slots, and its list of the others by age */
inline findFree() {
	d_step {
		taken = NONE; c = 0;
		do
		:: c < SLOTS && taken == NONE ->
			if
			:: holds[c] == FREE -> taken = c
			:: else
			fi;
			c++
		:: else -> break
		od;
		c = 0
	}
}

inline oldestAfter() {
	d_step {
		c = NONE; i = 0;
		do
		:: i < SLOTS ->
			if
			:: holds[i] != TAKEN && holds[i] > after && (c == NONE || holds[i] < holds[(c == NONE -> 0 : c)]) -> c = i
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0
	}
}

/* RingWriter.take, takeOldest: one scan for all that is looked at */
inline take() {
	findFree();
	if
	:: taken != NONE
	:: else ->
		after = FREE;
#ifdef GPU
		announced = SEQ_OF(load(HEAD));
#else
		announced = k; /* its own store, which a CPU sees at once */
#endif
		beginScan();
		do
		:: true ->
			oldestAfter();
			if
			:: c == NONE -> break /* ALL_LEASED */
#ifndef MUT_TAKE_PENDING
			:: c != NONE && holds[c] > announced -> break /* ALL_PENDING */
#endif
			:: else ->
				isUnread(holds[c]);
				if
				:: unread -> break /* UNREAD */
				:: else ->
					reclaim(c);
					if
					:: !leased -> taken = c; break
					:: else -> after = holds[c]
					fi
				fi
			fi
		od;
		endScan()
	fi;
	skip;
	d_step {
		if
		:: taken != NONE -> holds[taken] = TAKEN
		:: else
		fi;
		after = 0; announced = 0; c = 0; leased = false; unread = false
	}
}

/* RingWriter.name, after the pixels of a HOST frame; and RingWriter.announce, or the hand-over to the GPU */
inline publish(slot) {
	d_step { k++; published = k; holds[slot] = k };
#ifdef MUT_HEAD_FIRST
	store(WRITER, SEQ(slot), k);
	store(WRITER, INDEX(k), WORD(k, slot));
	store(WRITER, HEAD, WORD(k, slot));
	store(WRITER, PIXA(slot), k);
	store(WRITER, PIXB(slot), k);
#else
#ifndef GPU
	store(WRITER, PIXA(slot), k);
	store(WRITER, PIXB(slot), k);
#endif
	store(WRITER, SEQ(slot), k);
	store(WRITER, INDEX(k), WORD(k, slot));
#ifdef GPU
	if
	:: fence(WRITER); stream[k % 2]!k, slot
	:: /* RingWriter.withdraw: the GPU did not take it */
		store(WRITER, SEQ(slot), 0);
		d_step { holds[slot] = FREE; k--; published = k }
	fi
#else
	store(WRITER, HEAD, WORD(k, slot))
#endif
#endif
}

proctype Writer() {
	byte holds[SLOTS];
#ifdef STRICT_WAIT
	byte seen[READERS]; /* ControlPage.taken */
#endif
	byte k, tries, taken, c, i, r, after, announced, pages, scans;
	bool leased, unread;
	{
		do
		:: tries < TRIES ->
			tries++;
			take();
			if
			:: taken == NONE /* dropped, refused */
			:: taken != NONE -> publish(taken)
			:: taken != NONE -> holds[taken] = FREE /* RingWriter.giveBack */
			fi;
			taken = 0
		:: else -> break
		od;
		/* All is quiet, and everybody gone: what is announced is in its slot, and every slot is to be had. */
		atomic {
			fence(WRITER);
			i = 0;
			do
			:: i < READERS -> reaped[i]; i++
			:: else -> break
			od;
			i = 0
		}
#ifdef GPU
		empty(stream[0]) && empty(stream[1]);
#endif
		d_step {
			i = 0;
			do
			:: i < SLOTS ->
				assert(holds[i] == mem[SEQ(i)]);
				assert(holds[i] == FREE || (mem[PIXA(i)] == holds[i] && mem[PIXB(i)] == holds[i]));
				i++
			:: else -> break
			od;
			i = 0; tries = 0
		};
		do
		:: tries < SLOTS -> tries++; take(); assert(taken != NONE) /* no slot is lost */
		:: else -> break
		od
	} unless { killedWriter };
	writerDone = true
}

/* ---------------------------------------------------------------- publisher: server thread */

/* Admission.admit, ReaderSet.add */
inline admit(n) {
	set = set | (1 << n);
	mapped[n] = true;
#ifdef MUT_ADMIT_LATE
	welcomed[n] = true;
	store(SERVER, PAGES, set)
#else
	store(SERVER, PAGES, set);
	fence(SERVER); /* sendmsg */
	welcomed[n] = true
#endif
}

/* Admission.release, ReaderSet.remove, ControlPage.close */
inline remove(n) {
#ifndef MUT_NO_REAP
	set = set & ~(1 << n);
	store(SERVER, PAGES, set);
#ifndef MUT_NO_SERVER_FENCE
	fence(SERVER);
#endif
	seen = load(SCANS);
#ifndef MUT_NO_SCAN_WAIT
	(seen % 2 == 0 || load(SCANS) != seen);
#endif
	seen = 0;
	mapped[n] = false;
#endif
	reaped[n] = true
}

#ifdef MUT_REAP_EARLY
#define GONE(n) welcomed[n]
#else
#define GONE(n) ended[n]
#endif

#define SERVE(n) \
	:: !mapped[n] && !reaped[n] -> admit(n) \
	:: welcomed[n] && !reaped[n] && GONE(n) -> remove(n) \
	:: saidReady[n] && !awaited[n] && STRICT(n) && !reaped[n] -> \
		d_step { awaited[n] = true; countedAt[n] = published } /* ControlPage.setReady */

/* PublisherServer: what comes first is served first. It dies with the writer, of whose process it is. */
proctype Server() {
	byte set, seen;
	{
		skip;
end:		do
		SERVE(0)
#if READERS > 1
		SERVE(1)
#endif
#if READERS > 2
		SERVE(2)
#endif
		od
	} unless { killedWriter }
}

/* ---------------------------------------------------------------- subscriber */

/* RingReader.lease */
inline lease(w) {
	d_step {
		s = SLOT_OF(w);
		k = SEQ_OF(w);
		assert(!holding[s] || load(LEASE(r, s)) == 0) /* a lease of its own is never overwritten */
	};
#ifdef MUT_CURSOR_FIRST
	store(r, CURSOR(r), k);
#endif
	store(r, LEASE(r, s), k);
#ifndef MUT_NO_READER_FENCE
	fence(r);
#endif
#ifdef MUT_NO_CONFIRM
	got = true
#else
	if
	:: load(SEQ(s)) == k -> got = true
	:: else -> store(r, LEASE(r, s), 0)
	fi
#endif
}

/* RingReader.takeNewest. That it gives up after some tries is left out: here the writer ends. */
inline takeNewest() {
	w = load(HEAD);
	do
	:: SEQ_OF(w) > cursor ->
		lease(w);
		if
		:: got -> break
		:: else ->
			again = load(HEAD);
			if
			:: again == w -> break
			:: else -> w = again
			fi
		fi
	:: else -> break
	od;
	again = 0
}

/* RingReader.takeInOrder */
inline takeInOrder() {
	want = cursor + 1;
	newest = SEQ_OF(load(HEAD));
	do
	:: want <= newest ->
		w = load(INDEX(want));
		if
		:: SEQ_OF(w) == want -> lease(w)
		:: else
		fi;
		if
		:: got -> break
		:: else ->
			d_step {
				if
				:: want + SLOTS <= newest -> want = newest - SLOTS + 1 /* lapped */
				:: else -> want++
				fi
			};
			newest = SEQ_OF(load(HEAD))
		fi
	:: else -> break
	od;
	want = 0; newest = 0
}

/* RingReader.deliver */
inline deliver() {
	d_step {
		assert(k > cursor);
#ifdef STRICT_WAIT
		/* Who is waited for misses nothing that was published since. */
		assert(!STRICT(r) || !awaited[r] || k == cursor + 1 || k <= countedAt[r] + 1);
#endif
		cursor = k;
		holding[s] = true
	};
	store(r, CURSOR(r), k)
}

/* The consumer, and Frame.close or closeOn: RingReader.release, or the reader's GPU in stream order */
inline consume() {
#ifdef STREAM_RELEASE
	reads[r]!k, s;
#ifdef MUT_RELEASE_AT_ONCE
	store(r, LEASE(r, s), 0);
#endif
#else
#ifdef MUT_RELEASE_EARLY
	store(r, LEASE(r, s), 0);
#endif
	assert(load(PIXA(s)) == k);
	assert(load(PIXB(s)) == k);
#ifndef MUT_RELEASE_EARLY
	store(r, LEASE(r, s), 0);
#endif
	holding[s] = false
#endif
}

proctype Reader(byte r) {
	byte w, again, want, newest, k, s, cursor, takes;
	bool got, holding[SLOTS];
	{
		skip;
end:		welcomed[r];
		/* RingReader's constructor: it starts at the newest frame there is. */
		w = load(HEAD);
		d_step {
			cursor = SEQ_OF(w);
			cursor = (cursor > 0 -> cursor - 1 : 0);
			w = 0
		};
		store(r, CURSOR(r), cursor);
		fence(r); /* Connection.ready: sendmsg */
		saidReady[r] = true;
		do
		:: takes < TAKES ->
			takes++;
#ifdef STREAM_RELEASE
			/* RingReader.leases: what its GPU has ended meanwhile */
			d_step {
				s = 0;
				do
				:: s < SLOTS -> holding[s] = holding[s] && load(LEASE(r, s)) != 0; s++
				:: else -> break
				od;
				s = 0
			};
#endif
			if
			:: STRICT(r) -> takeInOrder()
			:: else -> takeNewest()
			fi;
			if
			:: got -> deliver(); consume()
			:: else
			fi;
			d_step { got = false; w = 0; k = 0; s = 0 }
		:: else -> break
		od;
#ifdef STREAM_RELEASE
		empty(reads[r]); /* Session waits for its device before it unmaps */
#endif
		skip
	} unless { killed[r] };
	/* The kernel closes the socket once the process is gone. */
	atomic { fence(r); ended[r] = true; cursor = 0; k = 0; s = 0; w = 0; takes = 0; want = 0; newest = 0; again = 0; got = false }
}

/* kill -9, at any moment or never. */
proctype Killer() {
#ifdef KILL_READER
	if
	:: killed[0] = true
	:: READERS > 1 -> killed[READERS - 1] = true
	:: skip
	fi;
#endif
#ifdef KILL_WRITER
	if
	:: killedWriter = true
	:: skip
	fi;
#endif
	skip
}

init {
	byte n;
	atomic {
		do
		:: n < CPUS -> run Buffer(n); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < READERS ->
			run Reader(n);
#ifdef STREAM_RELEASE
			run ReaderGpu(n);
#endif
			n++
		:: else -> break
		od;
#ifdef GPU
		run Gpu(0);
		run Gpu(1);
#endif
		run Server();
		run Writer();
#if defined(KILL_READER) || defined(KILL_WRITER)
		run Killer();
#endif
		n = 0
	}
}
