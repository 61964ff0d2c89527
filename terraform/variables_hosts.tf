variable "tiers" {
  description = "Hosts by tier. A tier with `group` is an auto-scaling group behind the internal load balancer (ui, app or ml); without it one host. `data_gb` is a disk of its own, which outlives the host."
  type = map(object({
    instance_type = string
    root_gb       = optional(number, 20)
    data_gb       = optional(number, 0)
    private_ip    = optional(string)
    zone          = optional(string)
    group         = optional(object({ min = number, max = number, desired = number }))
  }))
  default = {
    edge       = { instance_type = "t3.micro" }
    ui         = { instance_type = "t3.small" }
    app        = { instance_type = "t3.medium", root_gb = 35, data_gb = 100 }
    ml         = { instance_type = "g4dn.xlarge", root_gb = 60 }
    monitoring = { instance_type = "t3.small", data_gb = 50 }
  }

  validation {
    condition     = length(setsubtract(["edge", "ui", "app", "ml", "monitoring"], keys(var.tiers))) == 0 && length(var.tiers) == 5
    error_message = "tiers: expected exactly edge, ui, app, ml and monitoring."
  }
  validation {
    condition     = alltrue([for tier, what in var.tiers : what.group == null || contains(["ui", "app", "ml"], tier)])
    error_message = "tiers: only ui, app and ml can be groups."
  }
  validation {
    condition     = alltrue([for what in var.tiers : what.group == null ? true : what.group.min <= what.group.desired && what.group.desired <= what.group.max])
    error_message = "tiers: expected min <= desired <= max for each group."
  }
  validation {
    condition     = var.tiers["app"].group == null || (var.database != null && var.cache != null)
    error_message = "tiers: App can be a group only when AWS runs the database and the cache, which else live on its one host."
  }
  validation {
    condition     = alltrue([for what in var.tiers : what.root_gb >= 8])
    error_message = "tiers: expected root_gb of at least 8."
  }
}

variable "image_id" {
  description = "Machine image of every host but ML: Debian 12, or one with Lightbox in it. null: the newest Debian 12."
  type        = string
  default     = null

  validation {
    condition     = var.image_id == null || can(regex("^ami-[0-9a-f]+$", coalesce(var.image_id, "-")))
    error_message = "image_id: expected ami- and hexadecimal digits."
  }
}

variable "gpu_image_id" {
  description = "Machine image of ML hosts. null: the same as image_id; Ansible then installs the graphics driver."
  type        = string
  default     = null

  validation {
    condition     = var.gpu_image_id == null || can(regex("^ami-[0-9a-f]+$", coalesce(var.gpu_image_id, "-")))
    error_message = "gpu_image_id: expected ami- and hexadecimal digits."
  }
}

variable "scale_on_queue_age_s" {
  description = "Seconds that the oldest job may wait before the ML group gets a host more."
  type        = number
  default     = 30

  validation {
    condition     = var.scale_on_queue_age_s >= 5 && var.scale_on_queue_age_s <= 3600
    error_message = "scale_on_queue_age_s: expected 5 to 3600."
  }
}

variable "idle_minutes" {
  description = "Minutes without a waiting job after which the ML group shrinks to its minimum, which may be none."
  type        = number
  default     = 20

  validation {
    condition     = var.idle_minutes >= 5 && var.idle_minutes <= 1440
    error_message = "idle_minutes: expected 5 to 1440."
  }
}
