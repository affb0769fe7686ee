"""persist-queue's SQLiteAckQueue as it is shipped (WAL, synchronous = FULL), one job at a time; seconds as JSON."""
import json, sys, tempfile, time

import persistqueue
from persistqueue import SQLiteAckQueue

what, jobs, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
payload = "x" * 190
with tempfile.TemporaryDirectory(dir=sys.argv[4]) as folder:
    queue = SQLiteAckQueue(folder, auto_commit=True)
    took = {"version": persistqueue.__version__}

    def timed(name, work):
        start = time.perf_counter()
        result = work()
        took[name] = time.perf_counter() - start
        return result

    if what == "cycle":
        timed("enqueue", lambda: [queue.put(payload) for _ in range(jobs)])
        items = timed("claim", lambda: [queue.get(block=False) for _ in range(jobs)])
        timed("settle", lambda: [queue.ack(item) for item in items])
    else:
        # Loading one by one is not what is measured.
        queue._putter.execute("PRAGMA synchronous = OFF")
        for _ in range(jobs):
            queue.put(payload)
        queue._putter.execute("PRAGMA synchronous = " + sys.argv[5])
        queue._getter.execute("PRAGMA synchronous = " + sys.argv[5])
        last = steps // 10
        drain = lambda steps: [queue.ack(queue.get(block=False)) for _ in range(steps)]
        timed("first", lambda: drain(steps - last))
        timed("its last tenth", lambda: drain(last))
        took["drain"] = took["first"] + took["its last tenth"]
    print(json.dumps(took))
