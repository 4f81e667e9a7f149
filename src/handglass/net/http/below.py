"""Opening files strictly below a directory, whatever the names and the links in between are.

The path is walked component by component from the directory's own descriptor, never by name through the
system: each component is looked at without following links, a link's target is walked the same way, and a
step above the directory is refused at the moment it is made. So there is no check that could be outrun by a
rename in between. Only regular files are opened at all; devices, pipes and sockets are not even touched.
"""

from __future__ import annotations

import errno
import os
import stat
from enum import StrEnum

LINKS_LIMIT = 40
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PATH_ONLY = getattr(os, "O_PATH", 0)  # Linux: search permission is enough
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Obstacle(StrEnum):
    """Why a path was not opened."""

    MISSING = "missing"
    DIRECTORY = "directory"
    OUTSIDE = "outside"
    SPECIAL = "special"
    DENIED = "denied"
    BUSY = "busy"
    """The system has no room for another open file now."""


OBSTACLES = {
    errno.EACCES: Obstacle.DENIED,
    errno.EPERM: Obstacle.DENIED,
    errno.EMFILE: Obstacle.BUSY,
    errno.ENFILE: Obstacle.BUSY,
    errno.ENOMEM: Obstacle.BUSY,
}
"""What the system's errors mean; all others: there is nothing that could be opened."""


class ObstacleError(Exception):
    """The path was not opened."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(str(obstacle))
        self.obstacle = obstacle


class Below:
    """The files below a directory, which is fixed when this is made (later renames change nothing)."""

    def __init__(self, directory: str = ".") -> None:
        self._top = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | PATH_ONLY)

    def close(self) -> None:
        """Give the directory back; may be called twice."""
        top, self._top = self._top, -1
        if top >= 0:
            os.close(top)

    def open(self, path: bytes) -> tuple[int, os.stat_result]:
        """Open the regular file at `path`, relative to the directory; the descriptor is the caller's.

        Raises ObstacleError.
        """
        walk = _Walk(self._top)
        try:
            return walk.open(path)
        except OSError as error:
            raise ObstacleError(OBSTACLES.get(error.errno or 0, Obstacle.MISSING)) from None
        except ValueError:  # a NUL
            raise ObstacleError(Obstacle.MISSING) from None
        finally:
            walk.close()


class _Walk:
    """One walk: the directories entered so far, the components still to come (last one first)."""

    def __init__(self, top: int) -> None:
        self._directories = [top]
        self._todo: list[bytes] = []
        self._links = 0

    def close(self) -> None:
        for fd in self._directories[1:]:
            os.close(fd)

    def open(self, path: bytes) -> tuple[int, os.stat_result]:
        self._plan(path)
        while self._todo:
            part = self._todo.pop()
            here = self._directories[-1]
            if part in (b"", b"."):
                continue
            if part == b"..":
                self._up()
                continue
            mode = os.stat(part, dir_fd=here, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                self._follow(os.readlink(part, dir_fd=here))
            elif stat.S_ISDIR(mode):
                self._directories.append(os.open(part, DIRECTORY | PATH_ONLY, dir_fd=here))
            elif not stat.S_ISREG(mode):
                raise ObstacleError(Obstacle.SPECIAL)
            elif self._todo:
                raise ObstacleError(Obstacle.MISSING)  # a file is no directory
            else:
                return self._regular(part, here)
        raise ObstacleError(Obstacle.DIRECTORY)

    def _plan(self, path: bytes) -> None:
        if path.startswith(b"/"):
            raise ObstacleError(Obstacle.OUTSIDE)
        self._todo += reversed(path.split(b"/"))

    def _follow(self, target: bytes) -> None:
        self._links += 1
        if self._links > LINKS_LIMIT:
            raise ObstacleError(Obstacle.MISSING)
        self._plan(target)

    def _up(self) -> None:
        if len(self._directories) == 1:
            raise ObstacleError(Obstacle.OUTSIDE)
        os.close(self._directories.pop())

    @staticmethod
    def _regular(part: bytes, here: int) -> tuple[int, os.stat_result]:
        """Open the last component; what it is, is asked of the open file once more."""
        fd = os.open(part, FILE, dir_fd=here)
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            raise ObstacleError(Obstacle.SPECIAL)
        return fd, status
