"""Where the answer lives: a patch at every place, and the class activation map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from hybridpool.answer import Places
from hybridpool.answer.places import PATCH, STEP
from hybridpool.ui import compute
from hybridpool.ui.answer.picture import Seen
from hybridpool.ui.answer.rows import Row, names_of
from hybridpool.ui.answer.words import class_names
from hybridpool.ui.browser.packing import pixels
from hybridpool.ui.charts import show_chart
from hybridpool.ui.phrases import paragraph, percent, plain
from hybridpool.ui.results import watch
from hybridpool.ui.words import _
from hybridpool.viz.answer_charts import places_chart

#: Where a patch lowers a probability by less than this anywhere, no place stands out.
_POINT = 0.01


def show_places(rows: Sequence[Row], seen: Seen, shown: int, weight: float | None) -> None:
    """The maps of the network of each row whose bars are shown, computed row by row.

    Args:
        rows: Whose answers.
        seen: The picture, as it is.
        shown: Which network of each row.
        weight: Where the dial stands.
    """
    st.header(_("Where the answer lives"))
    progress = st.empty()
    found: dict[str, Places] = {}
    for count, row in enumerate(rows):
        # Each of these calls is a place where Streamlit can stop this run for a newer one.
        progress.progress(
            count / len(rows), _("{count} of {total} poolings").format(count=count, total=len(rows))
        )
        network = row.networks[min(shown, len(row.networks) - 1)]
        found[row.key] = watch(
            compute.answer_places(network, seen.image, seen.named, weight), progress
        )
    progress.empty()
    classes = {row.key: class_names(row.networks[0].info.classes) for row in rows}
    show_chart(
        places_chart(
            pixels(seen.image),
            {key: each.sure.numpy() for key, each in found.items()},
            {
                key: [[classes[key][at] for at in line] for line in each.says.tolist()]
                for key, each in found.items()
            },
            {key: each.activation.numpy() for key, each in found.items()},
            {
                **{row.key: row.name for row in rows},
                "picture": _("Picture"),
                "sure": _("Clean answer"),
                "adds": _("Adds to the score"),
            },
        ),
        key="answer_places",
        alt=_("Where a patch lowers the probability of the answer, and which cells speak for it"),
    )
    # The classes of a person's own network are words of its file.
    read = {key: [plain(name) for name in each] for key, each in classes.items()}
    st.markdown(said(found, names_of(rows), read))


def said(
    found: Mapping[str, Places],
    names: Mapping[str, str],
    classes: Mapping[str, Sequence[str]],
) -> str:
    """Where the patch does most, and what the maps show."""
    one = _("**{name}** ({answer}): down to {share} at row {row}, column {column}")
    several = _("**{name}** ({answer}): down to {share} at {count} places")
    none = _("**{name}** ({answer}): nowhere by as much as one point")
    parts = []
    for key, each in found.items():
        answer = {"name": names[key], "answer": classes[key][each.said]}
        if each.clean - each.sure.min().item() < _POINT:
            parts.append(none.format(**answer))
            continue
        lowest = int(each.sure.argmin())
        row, column = divmod(lowest, each.sure.shape[1])
        share = percent(each.sure.min().item())
        count = sum(percent(sure) == share for sure in each.sure.flatten().tolist())
        parts.append(
            (one if count == 1 else several).format(
                **answer,
                share=share,
                count=count,
                row=each.starts[row] + 1,
                column=each.starts[column] + 1,
            )
        )
    return paragraph(
        [
            _(
                "Where a grey patch of {size} × {size} pixels costs most of the answer: {list}."
            ).format(size=PATCH, list=_("; ").join(parts)),
            _(
                "Above, the probability of the clean answer by the place of the patch, every "
                "{step} pixels. Below, the class activation map: what each cell of the last map "
                "adds to the score of that answer, exactly, because only a mean and a linear layer "
                "follow it. Three poolings leave no more cells than that. Each row has one scale. "
                "Both are of the picture as it is, in the network whose bars are shown."
            ).format(step=STEP),
        ]
    )
