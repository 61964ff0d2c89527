variable "database" {
  description = "RDS for PostgreSQL; null: PostgreSQL or SQLite on App's host."
  type = object({
    instance_class = optional(string, "db.t4g.small")
    storage_gb     = optional(number, 20)
    max_storage_gb = optional(number, 200)
    backup_days    = optional(number, 35)
    multi_az       = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.database == null || length(var.zones) >= 2
    error_message = "database: RDS needs subnets in two availability zones (zones)."
  }
  validation {
    condition     = var.database == null ? true : var.database.backup_days >= 7 && var.database.backup_days <= 35
    error_message = "database: expected backup_days of 7 to 35."
  }
}

variable "cache" {
  description = "ElastiCache; null: Redis on App's host."
  type        = object({ node_type = optional(string, "cache.t4g.small"), replicas = optional(number, 0) })
  default     = null
}

variable "cache_token" {
  description = "Password of ElastiCache, the same that Ansible's vault holds. Give it by TF_VAR_cache_token."
  type        = string
  default     = ""
  sensitive   = true

  validation {
    condition     = var.cache == null || can(regex("^[A-Za-z0-9-]{32,128}$", var.cache_token))
    error_message = "cache_token: expected 32 to 128 letters, digits and hyphens."
  }
}

variable "bucket_prefix" {
  description = "Beginning of the buckets' names, which all of AWS shares. Empty: the portal's name."
  type        = string
  default     = ""
}

variable "direct_uploads_from" {
  description = "The portal's own address, such as https://lightbox.hospital.example, whose pages may send large files straight to the bucket (LIGHTBOX_STORE_ORIGIN); empty: none may."
  type        = string
  default     = ""

  validation {
    condition     = var.direct_uploads_from == "" || can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", var.direct_uploads_from))
    error_message = "direct_uploads_from: expected https:// and a name, without a path."
  }
}

variable "healthimaging_datastore" {
  description = "Data store of AWS HealthImaging that DICOM results go into (LIGHTBOX_HEALTHIMAGING_DATASTORE); empty: none."
  type        = string
  default     = ""

  validation {
    condition     = var.healthimaging_datastore == "" || can(regex("^[0-9a-z]{32}$", var.healthimaging_datastore))
    error_message = "healthimaging_datastore: expected the 32 letters and digits of a data store's id."
  }
}

variable "keep" {
  description = "Days: until processed and rejected inputs go, until studies move to cheaper storage, until replaced objects go. null: nothing leaves by itself."
  type        = object({ inputs_days = optional(number, 30), archive_days = optional(number, 90), old_version_days = optional(number, 90) })
  default     = {}

  validation {
    condition     = var.keep == null ? true : var.keep.inputs_days >= 1 && var.keep.archive_days >= 30 && var.keep.old_version_days >= 7
    error_message = "keep: expected inputs_days >= 1, archive_days >= 30 (S3's own minimum) and old_version_days >= 7."
  }
}

variable "cloudwatch_agent" {
  description = "Whether hosts send figures to CloudWatch too. An ML group needs it: its alarms read the queue's age there."
  type        = bool
  default     = false

  validation {
    condition     = var.cloudwatch_agent || var.tiers["ml"].group == null
    error_message = "cloudwatch_agent: must be true when ML is a group, which grows by the queue's age."
  }
}

variable "alarm_mail" {
  description = "Mail addresses that are told of AWS's alarms and of the budget."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for mail in var.alarm_mail : can(regex("^[^@ ]+@[^@ ]+$", mail))])
    error_message = "alarm_mail: expected mail addresses."
  }
}

variable "budget_usd" {
  description = "US dollars a month; at 80 % of it, and when the month is about to pass it, mail goes out. null: no budget."
  type        = number
  default     = 800

  validation {
    condition     = var.budget_usd == null ? true : var.budget_usd > 0
    error_message = "budget_usd: expected more than 0."
  }
}

variable "ml_starter" {
  description = "The function that switches a single ML host on with work and off without: its zip (`python -m command_line.ml_host.package FILE`); null: none."
  type        = object({ package = string, handler = optional(string, "command_line.ml_host.handler.on_event") })
  default     = null

  validation {
    condition     = var.ml_starter == null || (var.cloudwatch_agent && var.tiers["ml"].group == null)
    error_message = "ml_starter: is for a single ML host, and needs cloudwatch_agent; a group starts by itself."
  }
}

variable "github_repository" {
  description = "owner/name whose environment `production` may push images and deploy; empty: none."
  type        = string
  default     = ""

  validation {
    condition     = var.github_repository == "" || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository: expected owner/name."
  }
}

variable "images" {
  description = "Container images that the pipeline pushes; one registry each."
  type        = set(string)
  default     = ["ui", "app", "ml", "ml-cuda", "edge", "all-in-one", "map"]
}
