"""The executor of every run that Dagster starts: in this process, one run at a time per home.

What belongs here: holding the home's lock during a run's steps, and ending the process of a cancelled run. What does
not: runs from the command line, which take the same lock before Dagster knows of them (`cli.run`).
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import dagster as dg
from dagster._core.errors import raise_execution_interrupts
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig

from ingestion.sources.settings import load_settings
from orchestration.leftovers import clear_up
from storage.home import use_private_modes
from storage.interrupts import watch_interrupts
from storage.locks import Holder, hold_home

_IN_PROCESS_CONFIG: Any = dg.in_process_executor.config_schema


class OneRunExecutor(dg.Executor):
    """Executes the steps with the `inner` executor while this process holds the home."""

    def __init__(self, inner: dg.Executor) -> None:
        self._inner = inner

    @property
    def retries(self) -> RetryMode:
        """Same as the inner executor."""
        return self._inner.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """Same as the inner executor."""
        return self._inner.step_dependency_config

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """Wait for the home, clean up after dead runs, execute."""
        use_private_modes()
        instance, run, home = plan_context.instance, plan_context.dagster_run, load_settings().home_folder

        def say_whom_it_waits_for(holder: Holder | None) -> None:
            instance.report_engine_event(f"Waits for the home: {holder or 'another run'} is at work on it.", run)

        with ExitStack() as held:
            held.enter_context(watch_interrupts(last_words=lambda interrupts: None))
            with raise_execution_interrupts():
                held.enter_context(hold_home(home, run.run_id, on_wait=say_whom_it_waits_for, lives_on=True))
                clear_up(instance, home, but=run.run_id)
            yield from self._inner.execute(plan_context, execution_plan)


@dg.executor(name="in_process", config_schema=_IN_PROCESS_CONFIG)
def one_run_executor(init_context: dg.InitExecutorContext) -> dg.Executor:
    """Run steps in the run's own process: 20 no-op steps take 5 s, versus 25 s or more with one process each."""
    create = dg.in_process_executor.executor_creation_fn
    assert create is not None  # Dagster's own executors have one
    return OneRunExecutor(create(init_context))
