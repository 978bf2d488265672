import os
import signal
import subprocess
import sys
import time

SCRIPT = """
import os, time
from onedial.engine.workers import workers
if __name__ == "__main__":
    with workers(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 60).result()
"""


def there(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_workers_end_when_their_parent_is_killed(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(SCRIPT)
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, str(path)], env=found, stdout=subprocess.PIPE, text=True)
    with parent.stdout as said:
        worker = int(said.readline())
        assert there(worker)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        end = time.monotonic() + 30
        while there(worker) and time.monotonic() < end:
            time.sleep(0.05)
    assert not there(worker)
