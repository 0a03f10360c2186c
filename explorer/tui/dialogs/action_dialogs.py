"""Actions that open a dialog and then do what the user chose there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App

from explorer.session.action_dispatch import ActionDispatcher, Handler
from explorer.session.actions import Action, shown_key
from explorer.session.availability import described
from explorer.session.controllers.pattern_search import Place
from explorer.session.controllers.word_search import Hit
from explorer.session.menu_items import NONE, compare_network, compare_review, networks, reviews
from explorer.session.session import Session
from explorer.session.views.units import STEPS, WORDS, UnitNames, unit_names
from explorer.tui.dialogs.attribution import AttributionDialog
from explorer.tui.dialogs.base import AskDialog, ChooseDialog, HelpDialog, LegendDialog, TypeDialog
from explorer.tui.dialogs.contexts import ContextsDialog
from explorer.tui.dialogs.dynamics import BranchesDialog, MemoryDialog
from explorer.tui.dialogs.epochs import EpochsDialog
from explorer.tui.dialogs.saturation import SaturationDialog
from explorer.tui.dialogs.search_dialogs import PatternDialog, SearchDialog
from explorer.tui.dialogs.surrogates import SurrogatesDialog
from explorer.tui.dialogs.text_diff import TextDiffDialog
from explorer.tui.panels.corpus import CorpusScreen

if TYPE_CHECKING:
    from engine.contexts import Place as ContextPlace


class ActionDialogs(ActionDispatcher, App[None]):
    """The part of the application that opens dialogs."""

    actions: tuple[Action, ...]

    def draw(self, *, numbers: bool = True) -> None:
        """Draw the newest frame; without ``numbers`` only the panels that move with the words."""
        raise NotImplementedError

    @property
    def focused_panel(self) -> str:
        """The name of the panel with the focus; empty if there is none."""
        raise NotImplementedError

    def redraw(self) -> None:
        self.draw()

    def action_perform(self, name: str) -> None:
        """Perform an action bound to a key."""
        self.perform(name)

    def choose(self, title: str, entries: list[tuple[str, str]], present: str, then: Callable[[str], None]) -> None:
        """Open a list of entries (key, label) and call ``then`` with the key of the chosen one."""

        def chosen(key: str | None) -> None:
            if key is not None:
                self.run_guarded(lambda: then(key))

        self.push_screen(ChooseDialog(title, entries, present), chosen)

    def ask(self, title: str, hint: str, enter: str, then: Callable[[str], None]) -> None:
        """Open a text field and call ``then`` with the text; ``enter`` is a verb for what Enter does. While ``then``
        refuses the text, the field stays open."""
        self.push_screen(AskDialog(then, title, hint, enter), self._entered)

    def _entered(self, accepted: bool | None) -> None:
        if accepted:
            self.redraw()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "help": self.do_help,
            "legend": self.do_legend,
            "palette": self.do_palette,
            "type": self.do_type,
            "edit": self.do_edit,
            "word-by-word": self.do_word_by_word,
            "jump": self.do_jump,
            "search": self.do_search,
            "agree-elsewhere": self.do_agree_elsewhere,
            "clamp": self.do_clamp,
            "reviews": self.do_reviews,
            "corpus": self.do_corpus,
            "follow-input": self.do_follow_input,
            "memory": self.do_memory,
            "attributions": self.do_attributions,
            "steering-vector": self.do_steering_vector,
            "contexts": self.do_contexts,
            "saturation": self.do_saturation,
            "surrogates": self.do_surrogates,
            "epochs": self.do_epochs,
            "networks": self.do_networks,
            "compare": self.do_compare,
            "compare-reviews": self.do_compare_reviews,
        }

    # ---- actions ---------------------------------------------------------------------------------------------

    def do_help(self) -> None:
        self.push_screen(HelpDialog(self._described(), self.focused_panel))

    def do_legend(self) -> None:
        self.push_screen(LegendDialog(self.focused_panel, self._names()))

    def do_palette(self) -> None:
        listed = (action for action in self._described() if action.id != "palette")
        entries = [(a.id, f"{a.label:<15} {shown_key(a.keys[0]):>5}   {a.help}") for a in listed]
        self.choose("Actions", entries, "", lambda name: self.call_next(self.action_perform, name))

    def do_type(self) -> None:
        self.push_screen(TypeDialog(self._session().open_text), self._entered)

    def do_edit(self) -> None:
        session = self._session()

        def edited(accepted: bool | None) -> None:
            if accepted:
                self.run_guarded(self.do_word_by_word)

        title = "Edit a step: its number, and the value of each channel"
        title = title if self._names() == STEPS else self._names().reword("Edit the review")
        dialog = TypeDialog(session.text_diff.edit, title, session.text_diff.text)
        self.push_screen(dialog, edited)

    def do_word_by_word(self) -> None:
        session = self._session()
        session.text_diff.require_comparison()
        self.push_screen(TextDiffDialog(session), self._go_to_word)

    def _go_to_word(self, word: int | None) -> None:
        if word is not None:
            self.run_guarded(lambda: self._session().look_at(word))

    def do_jump(self) -> None:
        session = self._session()
        unit = self._names().unit
        hint = f"{unit} 1 to {session.stream.snapshot.words}, or a percentage such as 50%"
        self.ask(f"Jump to a {unit}", hint, "jump", session.jump_to)

    def do_search(self) -> None:
        session = self._session()

        def go(found: Hit | int | None) -> None:
            if isinstance(found, Hit):
                self.run_guarded(lambda: session.word_search.open(found))
            else:
                self._go_to_word(found)

        self.push_screen(SearchDialog(session), go)

    def do_agree_elsewhere(self) -> None:
        session = self._session()
        session.pattern_search.begin()

        def go(place: Place | None) -> None:
            if place is not None:
                self.run_guarded(lambda: session.pattern_search.open(place))

        self.push_screen(PatternDialog(session), go)

    def do_clamp(self) -> None:
        ablation = self._session().ablation
        hint = "a value; empty: the mean of each cell"
        self.run_guarded(lambda: self.ask(f"Clamp {ablation.question}", hint, "clamp", ablation.clamp_at))

    def do_reviews(self) -> None:
        session = self._session()
        title = self._names().reword("Reviews")
        self.choose(title, reviews(session), str(session.index), lambda index: session.open_review(int(index)))

    def do_corpus(self) -> None:
        session = self._session()

        def opened(index: int | None) -> None:
            if index is not None:
                self.run_guarded(lambda: session.open_review(index))

        self.push_screen(CorpusScreen(session), opened)

    def do_follow_input(self) -> None:
        session = self._session()
        session.branches.begin()
        self.push_screen(BranchesDialog(session))

    def do_memory(self) -> None:
        session = self._session()
        session.memory.begin()
        self.push_screen(MemoryDialog(session))

    def do_attributions(self) -> None:
        session = self._session()
        session.attribution.begin()
        self.push_screen(AttributionDialog(session), self._go_to_word)

    def do_steering_vector(self) -> None:
        steering = self._session().steering

        def chosen(key: str) -> None:
            steering.choose(key)
            self.ask("Strength", steering.question, "choose", steering.set_strength)

        self.choose("Steering vector: what is added to the state", steering.entries(), steering.key, chosen)

    def do_contexts(self) -> None:
        session = self._session()
        session.contexts.begin()

        def go(place: ContextPlace | None) -> None:
            if place is not None:
                self.run_guarded(lambda: session.contexts.open(place))

        self.push_screen(ContextsDialog(session), go)

    def do_surrogates(self) -> None:
        session = self._session()
        session.surrogates.begin(session.frame())
        self.push_screen(SurrogatesDialog(session))

    def do_saturation(self) -> None:
        session = self._session()
        session.saturation.begin()
        self.push_screen(SaturationDialog(session))

    def do_epochs(self) -> None:
        session = self._session()
        session.epochs.begin()

        def read(file: str | None) -> None:
            if file is not None:
                self.run_guarded(lambda: session.use_network(file))

        self.push_screen(EpochsDialog(session), read)

    def do_networks(self) -> None:
        here, entries = networks(self._session())
        self.choose("Networks", entries, here, self._session().use_network)

    def do_compare(self) -> None:
        session = self._session()
        _, entries = networks(session)
        self.choose(
            "Compare with network",
            [*entries, NONE],
            session.comparison.network or "",
            partial(compare_network, session),
        )

    def do_compare_reviews(self) -> None:
        session = self._session()
        self.choose(
            self._names().reword("Compare with review"), [NONE, *reviews(session)], "", partial(compare_review, session)
        )

    def _names(self) -> UnitNames:
        """Return the names of what the network reads; the default ones without a session."""
        return WORDS if self.session is None else unit_names(self.session.stream.snapshot.network)

    def _described(self) -> tuple[Action, ...]:
        """The table of actions for what the network reads, with the reason in place of the help of refused ones."""
        return self.actions if self.session is None else described(self.actions, self._names(), self.session.refusal)

    def _session(self) -> Session:
        assert self.session is not None, "perform() rejects these actions until the session is open"
        return self.session
