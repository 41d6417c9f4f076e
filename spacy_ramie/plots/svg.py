"""Drawing with matplotlib into an SVG that a page can hold as it is.

Nothing is fetched, text stays text, and the same figures give the same bytes.
"""

from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from ..errors import ConfigError, Errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
INK, FAINT = "#1c2733", "#c3ccd5"

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spacy-ramie",
    # Names of arms are text, also where they hold a dollar.
    "text.parse_math": False,
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.labelcolor": INK,
    "lines.linewidth": 1.5,
    "lines.markersize": 4,
    "legend.frameon": False,
    "savefig.transparent": True,
}


def draw(
    name: str, title: str, size: tuple[float, float], paint: "Callable[[Figure], None]"
) -> str:
    """Draw a figure.

    name (str): Unlike that of every other figure of the page.
    title (str): What is read out to those who cannot see it.
    size (tuple[float, float]): Width and height in inches.
    paint (Callable): Fills the figure.
    RETURNS (str): An `<svg>` element.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(Errors.R401) from error
    with matplotlib.rc_context():
        # Whatever the settings of this machine are.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        for artist in figure.findobj():
            # A clip would be a reference by URL.
            artist.set_clip_on(False)
        file = StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return _inline(file.getvalue(), name, title)


def _inline(svg: str, name: str, title: str) -> str:
    """Take what only a file of its own needs out of an SVG."""
    root = ElementTree.fromstring(svg)
    for parent in [*root.iter()]:
        for child in [*parent]:
            # The style would be that of the whole page.
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _own(_local(key), value, name)
            for key, value in element.attrib.items()
        }
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "width": root.attrib["width"],
        "role": "img",
        "aria-label": title,
    }
    return ElementTree.tostring(root, encoding="unicode")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _own(key: str, value: str, name: str) -> str:
    """Ids are those of the page: each figure has its own."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return f"#{name}-{value.removeprefix('#')}"
    return value
