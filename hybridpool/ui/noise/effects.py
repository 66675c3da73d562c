"""A comparison to what is said of it above and under the rows."""

from __future__ import annotations

from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity import Comparison, Perturbation
from hybridpool.ui.names import noise_names, pooling_names
from hybridpool.ui.noise import sentences as noise_findings
from hybridpool.ui.noise.sentences import Reached
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.page_state import link_to
from hybridpool.ui.phrases import below_print, paragraph
from hybridpool.ui.settings import SHARED, ResolvedView
from hybridpool.ui.words import _


def dial_weight(compared: Comparison, seen: ResolvedView) -> float | None:
    """Where the dial stands; None if each channel has a blend weight of its own."""
    own = compared.trace.blend_weight
    return seen.weight if seen.turned or bool((own == own[0]).all()) else None


def due(done: Perturbation, seen: ResolvedView) -> object:
    """What the curves and the occlusion map depend on, of all that is moved in the rows."""
    return done.canonical(), done.against, seen.dial


def finding(compared: Comparison, seen: ResolvedView, done: Perturbation) -> str:
    """What came out in one line: what was done, who changed least and most, where hybrid is."""
    names, weight = pooling_names(), dial_weight(compared, seen)
    relative = compared.relative_change(weight)
    if compared.covered == 1:
        return noise_findings.nothing_left()
    ranking = noise_findings.ranking(relative, names)
    if below_print(relative.values()):
        return ranking
    where = noise_findings.what_was_done(done, noise_names())
    return paragraph([where, ranking, noise_findings.place_of_hybrid(relative, weight)])


def answer_link(done: Perturbation, size: tuple[int, int]) -> str:
    """Where networks answer for the same picture and change; nothing where they cannot.

    Networks see the middle square of a picture, which is `size` here; the occluder stays on the
    same part of it.
    """
    if done.kind == "noise" and not CHANGES[done.noise].random:
        return ""
    query = STATE.query(done.in_middle_square(size))
    return _("[What would networks answer?]({link})").format(
        link=link_to("The_answer", SHARED.query(), query)
    )


def sentences(compared: Comparison, seen: ResolvedView, done: Perturbation) -> str:
    """What else this picture shows, in words."""
    names, weight = pooling_names(), dial_weight(compared, seen)
    if compared.covered == 1 or below_print(compared.relative_change(weight).values()):
        return ""
    paragraphs = []
    kernel = compared.trace.settings.kernel_size
    if compared.reached is not None:
        paragraphs.append([noise_findings.reach(_reached(compared, seen, weight), names)])
    drawn = done.kind == "noise" and CHANGES[done.noise].random
    bias = compared.bias(seen.channel, weight) if drawn else {}
    if bias:
        paragraphs.append([noise_findings.biases(bias, names), noise_findings.bias_note(kernel)])
    replaced, windows = (int(counts[seen.channel]) for counts in compared.winners())
    paragraphs.append([noise_findings.winners(replaced, windows, kernel)])
    return "\n\n".join(paragraph(said) for said in paragraphs)


def _reached(compared: Comparison, seen: ResolvedView, weight: float | None) -> Reached:
    within = compared.reached
    assert within is not None
    cells = {name: compared.changed(name, seen.channel, weight) for name in pooling_names()}
    return Reached(
        total=within.numel(),
        reached=int(within.sum()),
        changed={name: int((marked & within).sum()) for name, marked in cells.items()},
        beyond={name: int((marked & ~within).sum()) for name, marked in cells.items()},
    )
