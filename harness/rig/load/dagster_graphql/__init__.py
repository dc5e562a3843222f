"""The one place that knows Dagster's GraphQL, as the webservers of 1.5 to 1.13 speak it.

Builders return the JSON body of a POST to `/graphql`, parsers read the decoded answer; both are
pure, so the conductor (`connect`, on urllib) and the Locust child (its own gevent client)
share them. Names were checked against the schemas of 1.5.0, 1.6.0, 1.10.0 and 1.13.27.
"""

from harness.rig.load.dagster_graphql.answers import GraphQLError
from harness.rig.load.dagster_graphql.definitions import (
    ASSET_JOB,
    Defined,
    definitions,
    parse_definitions,
    parse_partition_keys,
    partition_keys,
)
from harness.rig.load.dagster_graphql.locations import (
    LocationState,
    LocationStatus,
    location_status,
    parse_location_status,
    parse_version,
    reload_location,
    version,
)
from harness.rig.load.dagster_graphql.runs import (
    TERMINAL,
    JobSelector,
    Launch,
    RunReport,
    give_up_run,
    launch_run,
    parse_given_up,
    parse_launch,
    parse_run_statuses,
    parse_terminated,
    run_statuses,
    runs_under_way,
    terminate_runs,
)
from harness.rig.load.dagster_graphql.sensors import (
    DryRun,
    parse_sensor_dry_run,
    sensor_dry_run,
)
from harness.rig.load.dagster_graphql.transport import (
    PATH,
    Body,
    Transport,
    connect,
    decode,
    tls_context,
)

__all__ = [
    "ASSET_JOB",
    "PATH",
    "TERMINAL",
    "Body",
    "Defined",
    "DryRun",
    "GraphQLError",
    "JobSelector",
    "Launch",
    "LocationState",
    "LocationStatus",
    "RunReport",
    "Transport",
    "connect",
    "decode",
    "definitions",
    "give_up_run",
    "launch_run",
    "location_status",
    "parse_definitions",
    "parse_given_up",
    "parse_launch",
    "parse_location_status",
    "parse_partition_keys",
    "parse_run_statuses",
    "parse_sensor_dry_run",
    "parse_terminated",
    "parse_version",
    "partition_keys",
    "reload_location",
    "run_statuses",
    "runs_under_way",
    "sensor_dry_run",
    "terminate_runs",
    "tls_context",
    "version",
]
