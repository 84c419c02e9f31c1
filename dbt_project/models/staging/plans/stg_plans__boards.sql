select
    boards.board_id,
    boards.board_hash,
    files.file_name as board_file,
    boards.board_name,
    boards.description,
    boards.metric,
    boards.period_grain,
    boards.tie_breaker_1,
    boards.tie_breaker_2,
    boards.tie_breaker_3,
    boards._load_id as load_id,
    boards._known_from as known_from
from {{ incentives_in_force(lake(source('lake', 'plans__board')), 'board_hash') }} as boards
inner join {{ ref('stg_plans__files') }} as files on boards.board_hash = files.file_hash
