"""Actions that ask first: each opens a dialog and acts on the user's choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtWidgets import QMainWindow

from explorer.gui.dialogs.attribution import AttributionDialog
from explorer.gui.dialogs.base import ChooseDialog, HelpDialog, LegendDialog, PromptDialog, TextDialog
from explorer.gui.dialogs.contexts import ContextsDialog
from explorer.gui.dialogs.dynamics import BranchesDialog, MemoryDialog
from explorer.gui.dialogs.epochs import EpochsDialog
from explorer.gui.dialogs.saturation import SaturationDialog
from explorer.gui.dialogs.search_dialogs import PatternDialog, WordSearchDialog
from explorer.gui.dialogs.surrogates import SurrogatesDialog
from explorer.gui.dialogs.text_diff import TextDiffDialog
from explorer.gui.menus import key_sequence
from explorer.gui.theme import Theme
from explorer.session.action_dispatch import ActionDispatcher, Handler
from explorer.session.actions import Action
from explorer.session.controllers.word_search import Hit
from explorer.session.menu_items import NONE, compare_network, compare_review, networks, reviews
from explorer.session.session import Session
from explorer.session.views.units import STEPS, WORDS, UnitNames, unit_names


class ActionDialogs(ActionDispatcher, QMainWindow):
    """The part of the main window that opens dialogs."""

    theme: Theme
    table: tuple[Action, ...]

    def choose(
        self, title: str, entries: list[tuple[str, str]], current: str, on_choose: Callable[[str], object]
    ) -> None:
        """Ask for one of the entries (key, label); call ``on_choose`` with its key."""
        ChooseDialog(self, title, entries, current, lambda key: self.run_guarded(lambda: on_choose(key))).open()

    def ask(self, title: str, prompt: str, on_enter: Callable[[str], object]) -> None:
        """Ask for a line of text; call ``on_enter`` with it."""
        PromptDialog(self, title, prompt, lambda text: self.run_guarded(lambda: on_enter(text))).open()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "help": self._help,
            "legend": lambda: LegendDialog(self, self._names()).open(),
            "palette": self._palette,
            "type": self._type,
            "edit": self._edit,
            "word-by-word": self._word_by_word,
            "compare-reviews": self._compare_reviews,
            "search": self._search,
            "agree-elsewhere": self._search_pattern,
            "clamp": self._clamp,
            "follow-input": self._follow_input,
            "memory": self._memory,
            "attributions": self._attributions,
            "steering-vector": self._steering_vector,
            "contexts": self._contexts,
            "saturation": self._saturation,
            "surrogates": self._surrogates,
            "epochs": self._epochs,
            "jump": self._jump,
            "networks": self._choose_network,
            "compare": self._compare_networks,
        }

    # ---- actions -----------------------------------------------------------------------------------------------

    def _help(self) -> None:
        HelpDialog(self, self.table).open()

    def _palette(self) -> None:
        entries = [
            (a.id, f"{a.label}   {key_sequence(a.keys[0]).toString()}   {a.help}")
            for a in self.table
            if a.id != "palette"
        ]
        self.choose("Command palette", entries, "", self.perform)

    def _type(self) -> None:
        session = self.opened_session
        TextDialog(
            self, "Type or paste a review", "", lambda text: self.run_guarded(lambda: session.open_text(text))
        ).open()

    def _edit(self) -> None:
        session = self.opened_session

        def edit(text: str) -> None:
            self.run_guarded(lambda: session.text_diff.edit(text))
            if session.comparison.review is not None:
                self._word_by_word()

        title = "Edit a step: its number, and the value of each channel"
        title = title if self._names() == STEPS else self._names().reword("Edit the review")
        TextDialog(self, title, session.text_diff.text, edit).open()

    def _word_by_word(self) -> None:
        session = self.opened_session
        session.text_diff.require_comparison()
        TextDiffDialog(self, self.theme, session, self.look_at).open()

    def _names(self) -> UnitNames:
        """Return the names of what the network reads; the default ones without a session."""
        return WORDS if self.session is None else unit_names(self.session.stream.snapshot.network)

    def _compare_reviews(self) -> None:
        session = self.opened_session
        title = self._names().reword("Compare with another review")
        self.choose(title, [NONE, *reviews(session)], "", partial(compare_review, session))

    def _search(self) -> None:
        session = self.opened_session

        def go(found: Hit | int) -> None:
            self.run_guarded(
                lambda: session.word_search.open(found) if isinstance(found, Hit) else session.look_at(found)
            )

        WordSearchDialog(self, session, go).open()

    def _search_pattern(self) -> None:
        session = self.opened_session
        session.pattern_search.begin()
        PatternDialog(self, session, lambda place: self.run_guarded(lambda: session.pattern_search.open(place))).open()

    def _clamp(self) -> None:
        ablation = self.opened_session.ablation
        self.ask("Clamp", f"Clamp {ablation.question} at a value; empty: at the mean of each cell", ablation.clamp_at)

    def _follow_input(self) -> None:
        session = self.opened_session
        session.branches.begin()
        BranchesDialog(self, self.theme, session).open()

    def _memory(self) -> None:
        session = self.opened_session
        session.memory.begin()
        MemoryDialog(self, self.theme, session).open()

    def _attributions(self) -> None:
        session = self.opened_session
        session.attribution.begin()
        AttributionDialog(self, self.theme, session, self.look_at).open()

    def _steering_vector(self) -> None:
        steering = self.opened_session.steering

        def chosen(key: str) -> None:
            steering.choose(key)
            self.ask("Strength", steering.question, steering.set_strength)

        self.choose("Steering vector: what is added to the state", steering.entries(), steering.key, chosen)

    def _contexts(self) -> None:
        session = self.opened_session
        session.contexts.begin()
        ContextsDialog(
            self, self.theme, session, lambda place: self.run_guarded(lambda: session.contexts.open(place))
        ).open()

    def _surrogates(self) -> None:
        session = self.opened_session
        session.surrogates.begin(session.frame())
        SurrogatesDialog(self, self.theme, session).open()

    def _saturation(self) -> None:
        session = self.opened_session
        session.saturation.begin()
        SaturationDialog(self, self.theme, session, self.select).open()

    def _epochs(self) -> None:
        session = self.opened_session
        session.epochs.begin()
        EpochsDialog(self, self.theme, session, lambda file: self.run_guarded(lambda: session.use_network(file))).open()

    def _jump(self) -> None:
        session = self.opened_session
        words = session.stream.snapshot.words
        self.ask(
            f"Go to {self._names().unit}",
            f"A {self._names().unit} from 1 to {words}, or a percentage such as 50%",
            session.jump_to,
        )

    def _choose_network(self) -> None:
        session = self.opened_session
        current, entries = networks(session)
        self.choose("Network", entries, current, session.use_network)

    def _compare_networks(self) -> None:
        session = self.opened_session
        _, entries = networks(session)
        current = session.comparison.network or ""
        self.choose("Compare with another network", [*entries, NONE], current, partial(compare_network, session))

    @property
    def opened_session(self) -> Session:
        """The session, for actions that need one."""
        assert self.session is not None, "the dispatcher runs these actions only with a session"
        return self.session
