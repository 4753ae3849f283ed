"""One job ends its process. What becomes of the others, with a pool that shares its queue?"""

import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        pool.submit(abs, -1).result()  # the workers are there
        bad = pool.submit(os._exit, 1)
        try:
            bad.result()
        except BrokenProcessPool as error:
            print("the bad job:", str(error).split(",", maxsplit=1)[0])
        try:
            pool.submit(abs, -2)
        except BrokenProcessPool:
            print("the next job: refused, because the pool is broken")
